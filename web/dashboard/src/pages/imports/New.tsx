import { useRef, useState } from 'react';
import { useUpload } from '../../app/files';
import { useWorkspace } from '../../app/workspace';
import type { Problem } from '../../graph/problems';
import { useMessages } from '../../i18n/catalogue';
import { Actions } from '../../ui/Actions';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { FilePicker } from '../../ui/FilePicker';
import { Progress } from '../../ui/Progress';
import { MESSAGES } from './messages';
import styles from './New.module.css';
import { Preview } from './Preview';

const ACCEPTED = '.csv,.tsv,.tab,.txt,.ndjson,.jsonl,.json,.xlsx';

type Step =
  | { is: 'choosing'; objection?: string }
  | { is: 'sending'; name: string; share: number }
  | { is: 'looking'; name: string; id: string };

/** A file is chosen and sent; then it is looked into before anything is stored. */
export function New() {
  const t = useMessages(MESSAGES);
  const { id: workspaceId } = useWorkspace();
  const upload = useUpload();
  const [step, setStep] = useState<Step>({ is: 'choosing' });
  const stopping = useRef<AbortController>(undefined);

  async function take(file: File) {
    const { name } = file;
    const stop = new AbortController();
    stopping.current = stop;
    setStep({ is: 'sending', name, share: 0 });
    const onProgress = (share: number) => setStep({ is: 'sending', name, share });
    const { id, problem } = await upload({ workspaceId, file, purpose: 'IMPORT', onProgress, signal: stop.signal });
    if (stop.signal.aborted) setStep({ is: 'choosing' });
    else if (problem) setStep({ is: 'choosing', objection: objection(problem) });
    else setStep({ is: 'looking', name, id });
  }

  function objection({ kind, fields }: Problem): string {
    if (fields.contentType) return t.unsuitable;
    if (fields.size) return t.tooLarge;
    if (fields.name) return t.unnamed;
    return kind === 'Rejected' ? t.rejected : t.lost;
  }

  if (step.is === 'looking') {
    return <Preview fileId={step.id} name={step.name} onAnother={() => setStep({ is: 'choosing' })} />;
  }
  return (
    <Card>
      <div role="alert">
        {step.is === 'choosing' && step.objection && <p className={styles.objection}>{step.objection}</p>}
      </div>
      {step.is === 'choosing' ? (
        <FilePicker label={t.choose} hint={t.chooseHint} accept={ACCEPTED} onFile={(file) => void take(file)} />
      ) : (
        <>
          <Progress label={t.uploading(step.name)} share={step.share} />
          <Actions>
            <Button onClick={() => stopping.current?.abort()}>{t.stop}</Button>
          </Actions>
        </>
      )}
    </Card>
  );
}
