import { useMessages } from '../../i18n/catalogue';
import { Button } from '../../ui/Button';
import { Code } from '../../ui/Copy';
import { Dialog } from '../../ui/Dialog';
import { MESSAGES } from './messages';

export interface Secrets {
  secret: string | null;
  publicKey: string | null;
}

/** What proves that a request is from here: shown once if it is a secret. */
export function Secret({ secrets: { secret, publicKey }, onClose }: { secrets: Secrets; onClose: () => void }) {
  const t = useMessages(MESSAGES);
  return (
    <Dialog title={secret ? t.secretTitle : t.publicKeyTitle} onClose={onClose}>
      <p>{secret ? t.secretText : t.publicKeyText}</p>
      <Code text={secret ?? publicKey ?? ''} label={t.copy} />
      <Button kind="primary" onClick={onClose}>
        {t.kept}
      </Button>
    </Dialog>
  );
}
