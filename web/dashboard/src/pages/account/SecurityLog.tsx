import { useState } from 'react';
import { useQuery } from 'urql';
import { useShellMessages } from '../../app/messages';
import { graphql } from '../../gql';
import { useMessages } from '../../i18n/catalogue';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Moment } from '../../ui/Moment';
import { Failed, Loading } from '../../ui/states';
import { Table } from '../../ui/Table';
import { deviceOf } from './device';
import { MESSAGES } from './messages';

const LOG = graphql(`
  query SecurityLog($after: String) {
    viewer {
      securityLog(first: 10, after: $after) {
        nodes {
          at
          action
          ip
          userAgent
        }
        pageInfo {
          endCursor
          hasNextPage
        }
      }
    }
  }
`);

/** What happened to the account. */
export function SecurityLog() {
  const t = useMessages(MESSAGES);
  const shell = useShellMessages();
  const [after, setAfter] = useState<string | null>(null);
  const [{ data, error, fetching }, ask] = useQuery({ query: LOG, variables: { after } });
  const log = data?.viewer?.securityLog;
  const actions: Record<string, string> = t.actions;

  return (
    <Card title={t.log}>
      {log ? (
        <>
          <Table
            caption={t.log}
            rows={log.nodes.map((event, place) => ({ ...event, place }))}
            id={({ place }) => String(place)}
            columns={[
              { key: 'action', title: t.action, cell: ({ action }) => actions[action] ?? action },
              { key: 'device', title: t.device, cell: ({ userAgent }) => deviceOf(userAgent) ?? '–' },
              { key: 'ip', title: t.address, cell: ({ ip }) => ip ?? '–' },
              { key: 'at', title: t.when, cell: ({ at }) => <Moment at={at} /> },
            ]}
          />
          {log.pageInfo.hasNextPage && (
            <Button busy={fetching} onClick={() => setAfter(log.pageInfo.endCursor ?? null)}>
              {shell.more}
            </Button>
          )}
        </>
      ) : error ? (
        <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />
      ) : (
        <Loading lines={5} />
      )}
    </Card>
  );
}
