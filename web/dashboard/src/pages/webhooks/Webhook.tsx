import { useState } from 'react';
import { useQuery } from 'urql';
import { Link, useLocation, useParams } from 'wouter';
import { Title } from '../../app/Title';
import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Actions } from '../../ui/Actions';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Confirm, Dialog } from '../../ui/Dialog';
import { Field, Form, type Values } from '../../ui/Form';
import { useOutcome } from '../../ui/outcome';
import { Stack } from '../../ui/Stack';
import { Empty, Failed, Loading } from '../../ui/states';
import { Deliveries } from './Deliveries';
import { EndpointForm } from './EndpointForm';
import { MESSAGES } from './messages';
import { Secret, type Secrets } from './Secret';
import { State } from './State';

const WEBHOOK = graphql(`
  query OneWebhook($slug: String!) {
    workspace(slug: $slug) {
      id
      webhooks {
        ...Webhook
      }
    }
  }
`);

const ENABLE = graphql(`
  mutation EnableWebhook($input: UpdateWebhookInput!) {
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

const DELETE = graphql(`
  mutation DeleteWebhook($input: DeleteWebhookInput!) {
    deleteWebhook(input: $input) {
      ... on DeleteWebhookSuccess {
        webhookId
      }
      ...Refusal
    }
  }
`);

const ROTATE = graphql(`
  mutation RotateWebhookSecret($input: RotateWebhookSecretInput!) {
    rotateWebhookSecret(input: $input) {
      ... on RotateWebhookSecretSuccess {
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

export default function Webhook() {
  const t = useMessages(MESSAGES);
  const { slug } = useWorkspace();
  const { webhookId = '' } = useParams<{ webhookId: string }>();
  const [, go] = useLocation();
  const enable = useMutate(ENABLE);
  const remove = useMutate(DELETE);
  const rotate = useMutate(ROTATE);
  const say = useOutcome();
  const [open, setOpen] = useState<'change' | 'rotate' | 'delete' | Secrets | undefined>();
  const close = () => setOpen(undefined);
  const [{ data, error }, ask] = useQuery({ query: WEBHOOK, variables: { slug }, requestPolicy: 'cache-and-network' });
  const webhook = data?.workspace?.webhooks.find(({ id }) => id === webhookId);

  async function turn(enabled: boolean) {
    say(problemIn((await enable({ input: { webhookId, enabled } }))?.updateWebhook), t.saved);
  }

  async function end() {
    if (say(problemIn((await remove({ input: { webhookId } }))?.deleteWebhook), t.deleted)) go(`/w/${slug}/webhooks`);
  }

  async function renew(values: Values) {
    const input = { webhookId, overlapHours: values.number('overlapHours') ?? 0 };
    const answer = (await rotate({ input }))?.rotateWebhookSecret;
    if (answer?.__typename === 'RotateWebhookSecretSuccess') setOpen(answer);
    return problemIn(answer);
  }

  return (
    <>
      <p>
        <Link href={`/w/${slug}/webhooks`}>{t.title}</Link>
      </p>
      <Title>{webhook?.name ?? t.webhook}</Title>
      {webhook ? (
        <Stack>
          <Card>
            <p>
              <State webhook={webhook} /> <code>{webhook.url}</code>
            </p>
            <Actions>
              <Button onClick={() => setOpen('change')}>{t.change}</Button>
              <Button onClick={() => setOpen('rotate')}>{t.rotate}</Button>
              <Button onClick={() => void turn(!webhook.enabled)}>{webhook.enabled ? t.disable : t.enable}</Button>
              <Button kind="danger" icon="trash" onClick={() => setOpen('delete')}>
                {t.delete}
              </Button>
            </Actions>
          </Card>
          <Deliveries webhookId={webhookId} />
        </Stack>
      ) : error ? (
        <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />
      ) : data ? (
        <Empty icon="hook" title={t.gone} />
      ) : (
        <Loading lines={8} />
      )}
      {webhook && open === 'change' && <EndpointForm webhook={webhook} onClose={close} />}
      {open === 'rotate' && (
        <Dialog title={t.rotate} onClose={close}>
          <p>{t.rotateText}</p>
          <Form onSubmit={renew} submit={t.rotate}>
            <Field
              name="overlapHours"
              label={t.overlapHours}
              type="number"
              min={0}
              max={168}
              defaultValue={24}
              required
            />
          </Form>
        </Dialog>
      )}
      {open === 'delete' && (
        <Confirm title={t.deleteTitle} action={t.delete} onConfirm={end} onClose={close}>
          {t.deleteText}
        </Confirm>
      )}
      {typeof open === 'object' && <Secret secrets={open} onClose={close} />}
    </>
  );
}
