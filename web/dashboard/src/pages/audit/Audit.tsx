import { useState } from 'react';
import { useQuery } from 'urql';
import { useShellMessages } from '../../app/messages';
import { Title } from '../../app/Title';
import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import { useMessages } from '../../i18n/catalogue';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Field, Form, type Values } from '../../ui/Form';
import { Moment } from '../../ui/Moment';
import { Stack } from '../../ui/Stack';
import { Empty, Failed, Loading } from '../../ui/states';
import { Table } from '../../ui/Table';
import styles from './Audit.module.css';
import { MESSAGES } from './messages';
import { wanted } from './wanted';

const AUDIT = graphql(`
  query AuditLog($slug: String!, $after: String, $action: String, $from: DateTime, $to: DateTime) {
    workspace(slug: $slug) {
      id
      auditLog(first: 25, after: $after, action: $action, from: $from, to: $to) {
        nodes {
          id
          at
          action
          actor {
            kind
            id
            name
          }
          summary
          before
          after
          ip
        }
        pageInfo {
          endCursor
          hasNextPage
        }
      }
    }
  }
`);

/** Who changed what, when, and from where. */
export default function Audit() {
  const t = useMessages(MESSAGES);
  const shell = useShellMessages();
  const { slug } = useWorkspace();
  const [filter, setFilter] = useState<ReturnType<typeof wanted>>({ action: null, from: null, to: null });
  const [after, setAfter] = useState<string | null>(null);
  const [{ data, error, fetching }, ask] = useQuery({
    query: AUDIT,
    variables: { slug, after, ...filter },
    requestPolicy: 'cache-and-network',
  });
  const log = data?.workspace?.auditLog;

  async function show(values: Values) {
    setAfter(null);
    setFilter(wanted(values));
    return undefined;
  }

  return (
    <>
      <Title>{t.title}</Title>
      <Stack>
        <Card>
          <Form onSubmit={show} submit={t.show}>
            <div className={styles.filters}>
              <Field name="action" label={t.action} placeholder="api_key.created" />
              <Field name="from" label={t.from} type="date" />
              <Field name="to" label={t.to} type="date" />
            </div>
          </Form>
        </Card>
        <Card>
          {log ? (
            log.nodes.length ? (
              <>
                <Table
                  caption={t.title}
                  rows={log.nodes}
                  id={({ id }) => id}
                  columns={[
                    {
                      key: 'summary',
                      title: t.what,
                      cell: ({ summary, action }) => (
                        <>
                          {summary} <code>{action}</code>
                        </>
                      ),
                    },
                    { key: 'actor', title: t.who, cell: ({ actor }) => `${actor.name} (${t.kinds[actor.kind]})` },
                    { key: 'ip', title: t.where, cell: ({ ip }) => ip ?? '–' },
                    { key: 'at', title: t.when, cell: ({ at }) => <Moment at={at} /> },
                    {
                      key: 'change',
                      title: t.change,
                      cell: ({ before, after: now }) =>
                        (before !== null || now !== null) && (
                          <details>
                            <summary>{t.details}</summary>
                            {before !== null && <pre className={styles.values}>{told(t.before, before)}</pre>}
                            {now !== null && <pre className={styles.values}>{told(t.after, now)}</pre>}
                          </details>
                        ),
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
              <Empty icon="scroll" title={t.none}>
                {t.noneText}
              </Empty>
            )
          ) : error ? (
            <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />
          ) : (
            <Loading lines={8} />
          )}
        </Card>
      </Stack>
    </>
  );
}

const told = (label: string, value: unknown) => `${label}: ${JSON.stringify(value, null, 2)}`;
