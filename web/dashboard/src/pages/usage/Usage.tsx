import { useState } from 'react';
import { useQuery } from 'urql';
import { Link } from 'wouter';
import { Title } from '../../app/Title';
import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { UsageQuery } from '../../gql/graphql';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Moment } from '../../ui/Moment';
import { Stack } from '../../ui/Stack';
import { Empty, Failed, Loading } from '../../ui/states';
import { Table } from '../../ui/Table';
import { LIMITS, lastDays, type Thing } from './limits';
import { MESSAGES } from './messages';
import styles from './Usage.module.css';

const USAGE = graphql(`
  query Usage($slug: String!, $from: DateTime!, $to: DateTime!) {
    workspace(slug: $slug) {
      id
      apiKeys {
        id
        name
        prefix
        scopes
        lastUsedAt
        expiresAt
        revokedAt
      }
      webhooks {
        id
      }
      alertRules {
        id
      }
      exportSchedules {
        id
      }
      sources {
        id
      }
      members {
        id
      }
      stats(from: $from, to: $to, interval: MONTH) {
        totals {
          total
        }
      }
    }
    rateLimit {
      limit
      remaining
      resetAt
    }
  }
`);

type Workspace = NonNullable<UsageQuery['workspace']>;

/** What is used up of what there is. */
export default function Usage() {
  const t = useMessages(MESSAGES);
  const { slug } = useWorkspace();
  const [days] = useState(lastDays);
  const [{ data, error, fetching }, ask] = useQuery({
    query: USAGE,
    variables: { slug, ...days },
    requestPolicy: 'cache-and-network',
  });
  const again = () => ask({ requestPolicy: 'network-only' });
  const workspace = data?.workspace;
  return (
    <>
      <Title
        actions={
          <Button busy={fetching} onClick={again}>
            {t.refresh}
          </Button>
        }
      >
        {t.title}
      </Title>
      {data && workspace ? (
        <Stack>
          <Requests {...data.rateLimit} />
          <Room workspace={workspace} />
          <Keys keys={workspace.apiKeys} />
        </Stack>
      ) : error ? (
        <Failed error={error} retry={again} />
      ) : (
        <Loading lines={10} />
      )}
    </>
  );
}

function Requests({ limit, remaining, resetAt }: UsageQuery['rateLimit']) {
  const t = useMessages(MESSAGES);
  const format = useFormat();
  return (
    <Card title={t.requests}>
      <dl className={styles.facts}>
        <div>
          <dt>{t.left}</dt>
          <dd>
            <meter className={styles.meter} min={0} max={limit} value={remaining} aria-label={t.left} />{' '}
            {t.ofLimit(format.number(remaining), format.number(limit))}
          </dd>
        </div>
        <div>
          <dt>{t.full}</dt>
          <dd>
            <Moment at={resetAt} />
          </dd>
        </div>
      </dl>
      <p>{t.requestsText}</p>
    </Card>
  );
}

function Room({ workspace }: { workspace: Workspace }) {
  const t = useMessages(MESSAGES);
  const format = useFormat();
  const { apiKeys, webhooks, alertRules, exportSchedules, sources, members, stats } = workspace;
  const counts: [Thing, number][] = [
    ['keys', apiKeys.filter(({ revokedAt }) => !revokedAt).length],
    ['webhooks', webhooks.length],
    ['rules', alertRules.length],
    ['schedules', exportSchedules.length],
    ['sources', sources.length],
    ['members', members.length],
    ['feedback', stats.totals.total],
  ];
  return (
    <Card title={t.room}>
      <Table
        caption={t.room}
        rows={counts}
        id={([thing]) => thing}
        columns={[
          { key: 'thing', title: t.thing, cell: ([thing]) => t.things[thing] },
          { key: 'number', title: t.number, cell: ([, count]) => format.number(count), numeric: true },
          {
            key: 'limit',
            title: t.limit,
            cell: ([thing]) => {
              const limit = LIMITS[thing];
              return limit ? format.number(limit) : t.unlimited;
            },
            numeric: true,
          },
          {
            key: 'taken',
            title: t.taken,
            cell: ([thing, count]) => {
              const limit = LIMITS[thing];
              return (
                limit && (
                  <meter
                    className={styles.meter}
                    min={0}
                    max={limit}
                    high={limit * 0.8}
                    optimum={0}
                    value={count}
                    aria-label={t.things[thing]}
                  />
                )
              );
            },
          },
        ]}
      />
    </Card>
  );
}

function Keys({ keys }: { keys: Workspace['apiKeys'] }) {
  const t = useMessages(MESSAGES);
  const format = useFormat();
  const { slug } = useWorkspace();
  const good = keys.filter(({ revokedAt }) => !revokedAt);
  return (
    <Card title={t.keys} actions={<Link href={`/w/${slug}/api-keys`}>{t.manage}</Link>}>
      {good.length ? (
        <Table
          caption={t.keys}
          rows={good}
          id={({ id }) => id}
          columns={[
            { key: 'name', title: t.name, cell: ({ name }) => name },
            { key: 'prefix', title: t.prefix, cell: ({ prefix }) => <code>{prefix}</code> },
            { key: 'scopes', title: t.scopes, cell: ({ scopes }) => scopes.join(', ') },
            {
              key: 'used',
              title: t.used,
              cell: ({ lastUsedAt }) => (lastUsedAt ? <Moment at={lastUsedAt} /> : t.never),
            },
            {
              key: 'ends',
              title: t.ends,
              cell: ({ expiresAt }) => (expiresAt ? format.date(expiresAt) : t.never),
            },
          ]}
        />
      ) : (
        <Empty icon="key" title={t.none}>
          {t.noneText}
        </Empty>
      )}
    </Card>
  );
}
