import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { WebhookAlgorithm, WebhookEventType, WebhookFragment } from '../../gql/graphql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Dialog } from '../../ui/Dialog';
import { Choices, Field, Form, Select, TextField, type Values } from '../../ui/Form';
import { MESSAGES } from './messages';
import type { Secrets } from './Secret';

const CREATE = graphql(`
  mutation CreateWebhook($input: CreateWebhookInput!) {
    createWebhook(input: $input) {
      ... on CreateWebhookSuccess {
        webhook {
          ...Webhook
        }
        secret
        publicKey
      }
      ...Refusal
    }
  }
`);

const UPDATE = graphql(`
  mutation UpdateWebhook($input: UpdateWebhookInput!) {
    updateWebhook(input: $input) {
      ... on UpdateWebhookSuccess {
        webhook {
          ...Webhook
        }
      }
      ...Refusal
    }
  }
`);

const TYPES: readonly WebhookEventType[] = [
  'FEEDBACK_ADDED',
  'FEEDBACK_UPDATED',
  'FEEDBACK_SCORED',
  'FEEDBACK_DELETED',
  'ALERT_FIRED',
  'ALERT_RESOLVED',
  'JOB_SUCCEEDED',
  'JOB_FAILED',
];

interface Props {
  /** The one to change; without it a new one is made. */
  webhook?: WebhookFragment;
  onMade?: (secrets: Secrets) => void;
  onClose: () => void;
}

export function EndpointForm({ webhook, onMade, onClose }: Props) {
  const t = useMessages(MESSAGES);
  const { id: workspaceId } = useWorkspace();
  const create = useMutate(CREATE);
  const update = useMutate(UPDATE);

  async function save(values: Values) {
    const said = {
      name: values.text('name'),
      url: values.text('url'),
      eventTypes: values.all('eventTypes') as WebhookEventType[],
      selection: values.maybe('selection') ?? null,
      ratePerSecond: values.number('ratePerSecond') ?? 20,
    };
    if (webhook) {
      const problem = problemIn((await update({ input: { webhookId: webhook.id, ...said } }))?.updateWebhook);
      if (!problem) onClose();
      return problem;
    }
    const algorithm = values.text('algorithm') as WebhookAlgorithm;
    const answer = (await create({ input: { workspaceId, algorithm, ...said } }))?.createWebhook;
    if (answer?.__typename === 'CreateWebhookSuccess') onMade?.(answer);
    return problemIn(answer);
  }

  return (
    <Dialog title={webhook ? t.change : t.make} onClose={onClose}>
      <Form onSubmit={save} submit={webhook ? t.save : t.makeIt} problems={{ Conflict: t.tooMany }}>
        <Field name="name" label={t.name} maxLength={200} defaultValue={webhook?.name} required />
        <Field name="url" label={t.url} hint={t.urlHint} type="url" defaultValue={webhook?.url} required />
        <Choices
          name="eventTypes"
          label={t.events}
          chosen={webhook?.eventTypes ?? ['FEEDBACK_SCORED']}
          options={TYPES.map((value) => ({ value, label: t.eventTypes[value] }))}
        />
        <TextField
          name="selection"
          label={t.selection}
          hint={t.selectionHint}
          placeholder="{ feedback { id body sentiment { label score } } }"
          maxLength={8000}
          spellCheck={false}
          defaultValue={webhook?.selection ?? ''}
        />
        <Field
          name="ratePerSecond"
          label={t.rate}
          type="number"
          min={1}
          max={200}
          defaultValue={webhook?.ratePerSecond ?? 20}
          required
        />
        {!webhook && (
          <Select name="algorithm" label={t.algorithm}>
            <option value="HMAC">{t.algorithms.HMAC}</option>
            <option value="ED25519">{t.algorithms.ED25519}</option>
          </Select>
        )}
      </Form>
    </Dialog>
  );
}
