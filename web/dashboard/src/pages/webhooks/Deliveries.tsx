import { useState } from 'react';
import { useQuery } from 'urql';
import { useShellMessages } from '../../app/messages';
import { graphql } from '../../gql';
import type { WebhookDeliveryStatus } from '../../gql/graphql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { Actions, Badge } from '../../ui/Actions';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Confirm } from '../../ui/Dialog';
import { Moment } from '../../ui/Moment';
import { useOutcome } from '../../ui/outcome';
import { Empty, Failed, Loading } from '../../ui/states';
import { Table } from '../../ui/Table';
import styles from './Deliveries.module.css';
import { MESSAGES } from './messages';

const DELIVERIES = graphql(`
  query WebhookDeliveries($id: ID!, $after: String) {
    node(id: $id) {
      ... on Webhook {
        id
        deliveries(first: 20, after: $after) {
          nodes {
            ...Delivery
          }
          pageInfo {
            endCursor
            hasNextPage
          }
        }
      }
    }
  }
`);

export const DELIVERY = graphql(`
  fragment Delivery on WebhookDelivery {
    id
    status
    attemptCount
    createdAt
    nextAttemptAt
    event {
      type
    }
    attempts {
      number
      at
      durationMs
      responseStatus
      responseBody
      requestBody
      error
    }
  }
`);

const TEST = graphql(`
  mutation SendTestWebhook($input: SendTestWebhookInput!) {
    sendTestWebhook(input: $input) {
      ... on SendTestWebhookSuccess {
        delivery {
          ...Delivery
        }
      }
      ...Refusal
    }
  }
`);

const REPLAY = graphql(`
  mutation ReplayWebhookDelivery($input: ReplayWebhookDeliveryInput!) {
    replayWebhookDelivery(input: $input) {
      ... on ReplayWebhookDeliverySuccess {
        delivery {
          ...Delivery
        }
      }
      ...Refusal
    }
  }
`);

const REPLAY_ALL = graphql(`
  mutation ReplayWebhookDeliveries($input: ReplayWebhookDeliveriesInput!) {
    replayWebhookDeliveries(input: $input) {
      ... on ReplayWebhookDeliveriesSuccess {
        replayed
      }
      ...Refusal
    }
  }
`);

const KINDS: Record<WebhookDeliveryStatus, 'good' | 'bad' | 'waiting' | 'plain'> = {
  PENDING: 'waiting',
  SUCCEEDED: 'good',
  FAILED: 'bad',
  DROPPED: 'plain',
};

/** How long the log is kept. */
const KEPT_MS = 30 * 86_400_000;

/** What was sent, and what was answered. */
export function Deliveries({ webhookId }: { webhookId: string }) {
  const t = useMessages(MESSAGES);
  const shell = useShellMessages();
  const format = useFormat();
  const test = useMutate(TEST);
  const replay = useMutate(REPLAY);
  const replayAll = useMutate(REPLAY_ALL);
  const say = useOutcome();
  const [after, setAfter] = useState<string | null>(null);
  const [asks, setAsks] = useState(false);
  const [{ data, error, fetching }, ask] = useQuery({
    query: DELIVERIES,
    variables: { id: webhookId, after },
    requestPolicy: 'cache-and-network',
  });
  const again = () => {
    setAfter(null);
    ask({ requestPolicy: 'network-only' });
  };
  const log = data?.node?.__typename === 'Webhook' ? data.node.deliveries : undefined;

  async function send() {
    say(problemIn((await test({ input: { webhookId } }))?.sendTestWebhook), t.testSent);
    again();
  }

  async function repeat(deliveryId: string) {
    say(problemIn((await replay({ input: { deliveryId } }))?.replayWebhookDelivery), t.replayed);
    again();
  }

  async function repeatAll() {
    const to = new Date();
    const from = new Date(to.getTime() - KEPT_MS);
    const input = { webhookId, from: from.toISOString(), to: to.toISOString() };
    const answer = (await replayAll({ input }))?.replayWebhookDeliveries;
    const sent = answer?.__typename === 'ReplayWebhookDeliveriesSuccess' ? answer.replayed : 0;
    say(problemIn(answer), t.allReplayed(sent));
    again();
  }

  return (
    <Card
      title={t.deliveries}
      actions={
        <Actions>
          <Button onClick={again}>{t.refresh}</Button>
          <Button onClick={() => void send()}>{t.test}</Button>
          <Button onClick={() => setAsks(true)}>{t.replayFailed}</Button>
        </Actions>
      }
    >
      {log ? (
        log.nodes.length ? (
          <>
            <Table
              caption={t.deliveries}
              rows={log.nodes}
              id={({ id }) => id}
              columns={[
                { key: 'type', title: t.event, cell: ({ event }) => <code>{event.type}</code> },
                {
                  key: 'status',
                  title: t.state,
                  cell: ({ status }) => <Badge kind={KINDS[status]}>{t.statuses[status]}</Badge>,
                },
                { key: 'at', title: t.happened, cell: ({ createdAt }) => <Moment at={createdAt} /> },
                {
                  key: 'next',
                  title: t.next,
                  cell: ({ nextAttemptAt }) => (nextAttemptAt ? format.moment(nextAttemptAt) : '–'),
                },
                {
                  key: 'attempts',
                  title: t.attempts,
                  cell: ({ attempts }) =>
                    attempts.length
                      ? attempts.map((attempt) => (
                          <details key={attempt.number}>
                            <summary>
                              {t.attempt(attempt.number, attempt.responseStatus ?? attempt.error ?? '–')}
                            </summary>
                            <p>
                              {format.moment(attempt.at)} · {format.number(attempt.durationMs)} ms
                            </p>
                            {attempt.error && <p lang="en">{attempt.error}</p>}
                            <pre className={styles.body}>{attempt.requestBody}</pre>
                            {attempt.responseBody && <pre className={styles.body}>{attempt.responseBody}</pre>}
                          </details>
                        ))
                      : '–',
                },
                {
                  key: 'actions',
                  title: t.do,
                  cell: ({ id, status }) =>
                    status !== 'PENDING' && <Button onClick={() => void repeat(id)}>{t.replay}</Button>,
                },
              ]}
            />
            {log.pageInfo.hasNextPage && (
              <Button busy={fetching} onClick={() => setAfter(log.pageInfo.endCursor ?? null)}>
                {shell.more}
              </Button>
            )}
          </>
        ) : (
          <Empty icon="scroll" title={t.noDeliveries}>
            {t.noDeliveriesText}
          </Empty>
        )
      ) : error ? (
        <Failed error={error} retry={again} />
      ) : (
        <Loading lines={6} />
      )}
      {asks && (
        <Confirm title={t.replayFailed} action={t.replay} onConfirm={repeatAll} onClose={() => setAsks(false)}>
          {t.replayFailedText}
        </Confirm>
      )}
    </Card>
  );
}
