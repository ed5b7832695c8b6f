import { useState } from 'react';
import { useQuery } from 'urql';
import { useShellMessages } from '../../app/messages';
import { Title } from '../../app/Title';
import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Actions, Badge } from '../../ui/Actions';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Moment } from '../../ui/Moment';
import { useOutcome } from '../../ui/outcome';
import { ServerText } from '../../ui/ServerText';
import { Empty, Failed, Loading } from '../../ui/states';
import { Table } from '../../ui/Table';
import styles from './Jobs.module.css';
import { MESSAGES } from './messages';

const DEAD = graphql(`
  query DeadLetters($workspaceId: ID!, $after: String) {
    deadJobs(first: 50, workspaceId: $workspaceId, after: $after) {
      nodes {
        ...JobRow
      }
      pageInfo {
        endCursor
        hasNextPage
      }
    }
  }
`);

const REQUEUE = graphql(`
  mutation RequeueJobs($input: RequeueJobsInput!) {
    requeueJobs(input: $input) {
      ... on RequeueJobsSuccess {
        jobs {
          ...JobRow
        }
      }
      ...Refusal
    }
  }
`);

/** What was given up, to be tried again when its cause is mended. */
export default function DeadLetters() {
  const t = useMessages(MESSAGES);
  const shell = useShellMessages();
  const { id: workspaceId } = useWorkspace();
  const requeue = useMutate(REQUEUE);
  const say = useOutcome();
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [after, setAfter] = useState<string | null>(null);
  const [{ data, error, fetching }, ask] = useQuery({
    query: DEAD,
    variables: { workspaceId, after },
    requestPolicy: 'cache-and-network',
  });
  const again = () => {
    setAfter(null);
    ask({ requestPolicy: 'network-only' });
  };
  const page = data?.deadJobs;
  // What was requeued is in the cache as what it is now, and no dead letter any more.
  const dead = page?.nodes.filter(({ status }) => status === 'FAILED');

  async function put(jobIds: readonly string[]) {
    say(problemIn((await requeue({ input: { jobIds: [...jobIds] } }))?.requeueJobs), t.requeued);
    setChosen([]);
    again();
  }

  return (
    <>
      <Title>{t.dead}</Title>
      {page && dead ? (
        <Card>
          {dead.length ? (
            <>
              <Actions>
                <Button onClick={() => setChosen(chosen.length ? [] : dead.map(({ id }) => id))}>
                  {chosen.length ? t.chooseNone : t.chooseAll}
                </Button>
                {chosen.length > 0 && (
                  <Button kind="primary" onClick={() => void put(chosen)}>
                    {t.requeueChosen(chosen.length)}
                  </Button>
                )}
              </Actions>
              <Table
                caption={t.dead}
                rows={dead}
                id={({ id }) => id}
                columns={[
                  {
                    key: 'kind',
                    title: t.kind,
                    cell: ({ id, kind }) => (
                      <label className={styles.filter}>
                        <input
                          type="checkbox"
                          className={styles.check}
                          checked={chosen.includes(id)}
                          onChange={({ target }) =>
                            setChosen((now) => (target.checked ? [...now, id] : now.filter((each) => each !== id)))
                          }
                        />
                        <code>{kind}</code>
                      </label>
                    ),
                  },
                  { key: 'subject', title: t.subject, cell: ({ subject }) => subject ?? '–' },
                  {
                    key: 'error',
                    title: t.error,
                    cell: ({ error: why, quarantined }) => (
                      <>
                        {quarantined && <Badge kind="bad">{t.quarantined}</Badge>} <ServerText>{why}</ServerText>
                      </>
                    ),
                  },
                  { key: 'failures', title: t.failures, cell: ({ failures }) => failures, numeric: true },
                  {
                    key: 'finished',
                    title: t.finished,
                    cell: ({ finishedAt }) => (finishedAt ? <Moment at={finishedAt} /> : '–'),
                  },
                  {
                    key: 'actions',
                    title: t.do,
                    cell: ({ id }) => <Button onClick={() => void put([id])}>{t.requeue}</Button>,
                  },
                ]}
              />
              {page.pageInfo.hasNextPage && (
                <Button busy={fetching} onClick={() => setAfter(page.pageInfo.endCursor ?? null)}>
                  {shell.more}
                </Button>
              )}
            </>
          ) : (
            <Empty icon="check" title={t.noDead}>
              {t.noDeadText}
            </Empty>
          )}
        </Card>
      ) : error ? (
        <Failed error={error} retry={again} />
      ) : (
        <Loading lines={6} />
      )}
    </>
  );
}
