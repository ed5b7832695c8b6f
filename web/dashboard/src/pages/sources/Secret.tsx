import { useMessages } from '../../i18n/catalogue';
import { Button } from '../../ui/Button';
import { Code } from '../../ui/Copy';
import { Dialog } from '../../ui/Dialog';
import { MESSAGES } from './messages';

/** What the service signs with: shown once. */
export function Secret({ secret, onClose }: { secret: string; onClose: () => void }) {
  const t = useMessages(MESSAGES);
  return (
    <Dialog title={t.secretTitle} onClose={onClose}>
      <p>{t.secretText}</p>
      <Code text={secret} label={t.copySecret} />
      <Button kind="primary" onClick={onClose}>
        {t.kept}
      </Button>
    </Dialog>
  );
}
