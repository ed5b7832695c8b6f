import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Field, Form, type Values } from '../../ui/Form';
import { Notice } from '../../ui/Narrow';
import { useToast } from '../../ui/toast';
import { type About, about, submit } from './asKey';
import { MESSAGES } from './messages';

export type Found = About & { key: string };

interface Props {
  found: Found | undefined;
  /** Kept in the memory of the page, for all its parts. */
  onFound: (found: Found | undefined) => void;
}

/** What a key is, may do and has left, as the key itself is told. */
export function TryKey({ found, onFound }: Props) {
  const t = useMessages(MESSAGES);
  const format = useFormat();
  const toast = useToast();
  const apiKey = found?.viewer?.apiKey;
  const workspaceId = found?.viewer?.workspaces[0]?.id;

  async function look(values: Values) {
    const key = values.text('key').trim();
    const answer = await about(key);
    onFound('data' in answer ? { ...answer.data, key } : undefined);
    return 'refusal' in answer ? { kind: 'refused', message: '', fields: { key: answer.refusal } } : undefined;
  }

  async function send(key: string, workspace: string) {
    const answer = await submit(key, workspace, t.sample);
    const refusal = 'refusal' in answer ? answer.refusal : answer.data.submitFeedback.message;
    toast(refusal ? { text: refusal, kind: 'failed' } : { text: t.sent });
  }

  return (
    <Card title={t.tryTitle}>
      <p>{t.tryText}</p>
      <Form onSubmit={look} submit={t.look} problems={{ refused: t.refused }}>
        <Field name="key" label={t.key} type="password" autoComplete="off" placeholder="earful_…" required />
      </Form>
      {found && apiKey && workspaceId && (
        <>
          <Notice>
            {t.isGood(apiKey.name, apiKey.scopes.join(', '))}{' '}
            {t.left(
              format.number(found.rateLimit.remaining),
              format.number(found.rateLimit.limit),
              format.moment(found.rateLimit.resetAt),
            )}
          </Notice>
          {apiKey.scopes.includes('feedback:write') && (
            <Button onClick={() => void send(found.key, workspaceId)}>{t.send}</Button>
          )}
        </>
      )}
    </Card>
  );
}
