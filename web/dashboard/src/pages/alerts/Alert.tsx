import { useCallback } from 'react';
import { useQuery } from 'urql';
import { Link, useParams } from 'wouter';
import { useFilterWords } from '../../app/filter/words';
import { useShellMessages } from '../../app/messages';
import { Title } from '../../app/Title';
import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { OneAlertQuery } from '../../gql/graphql';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { useLanguage } from '../../i18n/language';
import { Badge } from '../../ui/Actions';
import { Card } from '../../ui/Card';
import { Moment } from '../../ui/Moment';
import { Sentiment } from '../../ui/Sentiment';
import { Stack } from '../../ui/Stack';
import { Empty, Failed, Loading } from '../../ui/states';
import { Table } from '../../ui/Table';
import { kept, measured, told } from './condition';
import styles from './Facts.module.css';
import { MESSAGES } from './messages';
import { useAlertEvents } from './operations';

const ONE_ALERT = graphql(`
  query OneAlert($id: ID!) {
    node(id: $id) {
      ... on Alert {
        ...AlertRow
        rule {
          id
          name
        }
        messages {
          event
          channel
          to
          status
          at
          error
        }
        samples {
          ...FeedbackRow
        }
      }
    }
  }
`);

type Found = Extract<NonNullable<OneAlertQuery['node']>, { __typename: 'Alert' }>;

/** One alert with all that its rule went by. */
export default function Alert() {
  const t = useMessages(MESSAGES);
  const { slug } = useWorkspace();
  const { alertId = '' } = useParams<{ alertId: string }>();
  const [{ data, error }, ask] = useQuery({
    query: ONE_ALERT,
    variables: { id: alertId },
    requestPolicy: 'cache-and-network',
  });
  const again = useCallback(() => ask({ requestPolicy: 'network-only' }), [ask]);
  useAlertEvents(again);
  const alert = data?.node?.__typename === 'Alert' ? data.node : undefined;
  return (
    <>
      <p>
        <Link href={`/w/${slug}/alerts`}>{t.title}</Link>
      </p>
      <Title>{alert?.name ?? t.about}</Title>
      {alert ? (
        <Stack>
          <About alert={alert} />
          <Samples samples={alert.samples} />
          <Messages messages={alert.messages} />
        </Stack>
      ) : error ? (
        <Failed error={error} retry={again} />
      ) : data ? (
        <Empty icon="bell" title={t.noSuchAlert} />
      ) : (
        <Loading lines={10} />
      )}
    </>
  );
}

function About({ alert }: { alert: Found }) {
  const t = useMessages(MESSAGES);
  const format = useFormat();
  const { locale } = useLanguage();
  const { slug } = useWorkspace();
  const which = useFilterWords();
  const { state, firedAt, resolvedAt, value, threshold, baseline, windowStart, windowEnd, query, rule } = alert;
  const condition = kept(query);
  const say = (number: number | null) => measured(number, condition, locale, format);
  const isChange = condition.kind === 'CHANGE';
  return (
    <Card title={t.about}>
      <dl className={styles.facts}>
        <dt>{t.state}</dt>
        <dd>
          <Badge kind={state === 'FIRING' ? 'bad' : 'plain'}>{t.states[state]}</Badge>
        </dd>
        <dt>{t.fired}</dt>
        <dd>
          <Moment at={firedAt} /> ({format.moment(firedAt)})
        </dd>
        {resolvedAt && (
          <>
            <dt>{t.over}</dt>
            <dd>
              <Moment at={resolvedAt} /> ({format.moment(resolvedAt)})
            </dd>
          </>
        )}
        {value !== null && (
          <>
            <dt>{t.seen}</dt>
            <dd>
              <strong>{say(value)}</strong>
            </dd>
          </>
        )}
        {threshold !== null && (
          <>
            <dt>{t.threshold}</dt>
            <dd>{isChange ? format.percent(threshold / 100) : say(threshold)}</dd>
          </>
        )}
        {baseline !== null && (
          <>
            <dt>{isChange ? t.baseline : t.usual}</dt>
            <dd>{say(baseline)}</dd>
          </>
        )}
        <dt>{t.looked}</dt>
        <dd>{t.lookedText(format.moment(windowStart), format.moment(windowEnd))}</dd>
        <dt>{t.query}</dt>
        <dd>
          {told(condition, t, locale, format)} · {which(condition.filter)}
          <details>
            <summary>{t.queryJson}</summary>
            <pre className={styles.json}>{JSON.stringify(query, null, 2)}</pre>
          </details>
        </dd>
        <dt>{t.ruleNow}</dt>
        <dd>{rule ? <Link href={`/w/${slug}/alerts/rules/${rule.id}`}>{rule.name}</Link> : t.ruleGone}</dd>
      </dl>
    </Card>
  );
}

function Samples({ samples }: { samples: Found['samples'] }) {
  const t = useMessages(MESSAGES);
  const shell = useShellMessages();
  const { slug } = useWorkspace();
  return (
    <Card title={t.samples}>
      {samples.length ? (
        <ul className={styles.samples}>
          {samples.map(({ id, body, sentiment, author, source, occurredAt }) => (
            <li key={id}>
              <Link href={`/w/${slug}/inbox/${id}`}>{body}</Link>
              <div className={styles.about}>
                <Sentiment label={sentiment?.label} />
                <span>{author?.name ?? shell.anonymous}</span>
                <span>{source.name}</span>
                <Moment at={occurredAt} />
              </div>
            </li>
          ))}
        </ul>
      ) : (
        <p>{t.noSamples}</p>
      )}
    </Card>
  );
}

const KINDS = { WAITING: 'waiting', SENT: 'good', FAILED: 'bad' } as const;

function Messages({ messages }: { messages: Found['messages'] }) {
  const t = useMessages(MESSAGES);
  return (
    <Card title={t.messages}>
      {messages.length ? (
        <Table
          caption={t.messages}
          rows={messages}
          id={({ event, channel, to }) => `${event} ${channel} ${to}`}
          columns={[
            { key: 'to', title: t.to, cell: ({ to }) => to },
            { key: 'by', title: t.by, cell: ({ channel }) => t.channel[channel] },
            { key: 'event', title: t.event, cell: ({ event }) => t.events[event] },
            {
              key: 'state',
              title: t.state,
              cell: ({ status, error }) => (
                <>
                  <Badge kind={KINDS[status]}>{t.sent[status]}</Badge> {error}
                </>
              ),
            },
            { key: 'at', title: t.at, cell: ({ at }) => <Moment at={at} /> },
          ]}
        />
      ) : (
        <p>{t.noMessages}</p>
      )}
    </Card>
  );
}
