import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { ApiKeyFragment } from '../../gql/graphql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Dialog } from '../../ui/Dialog';
import { Choices, Field, Form, type Values } from '../../ui/Form';
import { dayOf, keyInput, SCOPES } from './input';
import { MESSAGES } from './messages';

const CREATE = graphql(`
  mutation CreateApiKey($input: CreateApiKeyInput!) {
    createApiKey(input: $input) {
      ... on CreateApiKeySuccess {
        apiKey {
          ...ApiKey
        }
        secret
      }
      ...Refusal
    }
  }
`);

const UPDATE = graphql(`
  mutation UpdateApiKey($input: UpdateApiKeyInput!) {
    updateApiKey(input: $input) {
      ... on UpdateApiKeySuccess {
        apiKey {
          ...ApiKey
        }
      }
      ...Refusal
    }
  }
`);

interface Props {
  /** The one to change; without it a new one is made. */
  apiKey?: ApiKeyFragment;
  onMade: (secret: string) => void;
  onClose: () => void;
}

export function KeyForm({ apiKey, onMade, onClose }: Props) {
  const t = useMessages(MESSAGES);
  const { id: workspaceId } = useWorkspace();
  const create = useMutate(CREATE);
  const update = useMutate(UPDATE);

  async function make(values: Values) {
    const answer = (await create({ input: { workspaceId, ...keyInput(values) } }))?.createApiKey;
    if (answer?.__typename === 'CreateApiKeySuccess') onMade(answer.secret);
    return problemIn(answer);
  }

  async function change(id: string, values: Values) {
    const problem = problemIn((await update({ input: { apiKeyId: id, ...keyInput(values) } }))?.updateApiKey);
    if (!problem) onClose();
    return problem;
  }

  return (
    <Dialog title={apiKey ? t.changeTitle(apiKey.name) : t.make} onClose={onClose}>
      <Form
        onSubmit={(values) => (apiKey ? change(apiKey.id, values) : make(values))}
        submit={apiKey ? t.save : t.makeIt}
      >
        <Field name="name" label={t.name} hint={t.nameHint} maxLength={200} defaultValue={apiKey?.name} required />
        <Choices
          name="scopes"
          label={t.scopes}
          chosen={apiKey?.scopes ?? ['feedback:write']}
          options={SCOPES.map((value) => ({ value, label: value, hint: t.scopeMeans[value] }))}
        />
        <Field
          name="expiresAt"
          label={t.expiresAt}
          hint={t.expiresHint}
          type="date"
          defaultValue={dayOf(apiKey?.expiresAt ?? null)}
        />
        <Field
          name="allowedIps"
          label={t.allowedIps}
          hint={t.allowedIpsHint}
          defaultValue={apiKey?.allowedIps.join(', ')}
        />
      </Form>
    </Dialog>
  );
}
