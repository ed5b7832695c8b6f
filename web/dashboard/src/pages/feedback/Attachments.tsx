import { useState } from 'react';
import { useDownload, useUpload } from '../../app/files';
import { useMay, useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { FeedbackDetailFragment } from '../../gql/graphql';
import { type Problem, problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { IconButton } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { FilePicker } from '../../ui/FilePicker';
import { Progress } from '../../ui/Progress';
import { Stack } from '../../ui/Stack';
import { useToast } from '../../ui/toast';
import styles from './Attachments.module.css';
import { MESSAGES } from './messages';

export const ATTACHED = graphql(`
  fragment Attached on Feedback {
    id
    attachments {
      id
      name
      size
      status
      reason
    }
  }
`);

const ATTACH = graphql(`
  mutation AttachFiles($input: AttachFilesInput!) {
    attachFiles(input: $input) {
      ... on AttachFilesSuccess {
        feedback {
          ...Attached
        }
      }
      ...Refusal
    }
  }
`);

const KILOBYTE = 1_000;

/** The files of a feedback; another one is chosen or dropped here. */
export function Attachments({ feedback: { id: feedbackId, attachments } }: { feedback: FeedbackDetailFragment }) {
  const t = useMessages(MESSAGES);
  const format = useFormat();
  const toast = useToast();
  const { id: workspaceId } = useWorkspace();
  const mayAttach = useMay('ANALYST');
  const upload = useUpload();
  const download = useDownload();
  const attach = useMutate(ATTACH);
  const [sending, setSending] = useState<{ name: string; share: number } | undefined>();

  async function add(file: File) {
    const { name } = file;
    setSending({ name, share: 0 });
    const onProgress = (share: number) => setSending({ name, share });
    const sent = await upload({ workspaceId, file, purpose: 'ATTACHMENT', onProgress });
    const problem =
      sent.problem ?? problemIn((await attach({ input: { feedbackId, fileIds: [sent.id] } }))?.attachFiles);
    setSending(undefined);
    toast(problem ? { text: objection(problem), kind: 'failed' } : { text: t.attached(name) });
  }

  function objection({ kind, fields }: Problem): string {
    if (fields.contentType) return t.unsuitable;
    if (fields.size) return t.tooLarge;
    return kind === 'Conflict' || fields.fileIds ? t.tooMany : t.notSent;
  }

  async function save(id: string) {
    if (!(await download(id))) toast({ text: t.noFile, kind: 'failed' });
  }

  return (
    <Card title={t.attachments}>
      <Stack>
        {attachments.length ? (
          <ul className={styles.files}>
            {attachments.map(({ id, name, size, status, reason }) => (
              <li key={id}>
                <span className={styles.name}>{name}</span>
                <span className={styles.about}>
                  {status === 'READY' ? `${format.decimal(size / KILOBYTE)} kB` : (reason ?? t.noFile)}
                </span>
                {status === 'READY' && (
                  <IconButton icon="import" label={t.download(name)} onClick={() => void save(id)} />
                )}
              </li>
            ))}
          </ul>
        ) : (
          <p className={styles.about}>{t.noAttachments}</p>
        )}
        {sending ? (
          <Progress label={t.attaching(sending.name)} share={sending.share} />
        ) : (
          mayAttach && <FilePicker label={t.attach} hint={t.attachHint} onFile={(file) => void add(file)} />
        )}
      </Stack>
    </Card>
  );
}
