import { useEffect, useState } from 'react';
import { useQuery } from 'urql';
import { useShellMessages } from '../../app/messages';
import { Title } from '../../app/Title';
import { useMay, useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { JobRowFragment, JobStatus } from '../../gql/graphql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Confirm } from '../../ui/Dialog';
import { Moment } from '../../ui/Moment';
import { useOutcome } from '../../ui/outcome';
import { ServerText } from '../../ui/ServerText';
import { Empty, Failed, Loading } from '../../ui/states';
import { Table } from '../../ui/Table';
import { Followed, STATUSES } from './Job';
import styles from './Jobs.module.css';
import { MESSAGES } from './messages';

const JOBS = graphql(`
  query Jobs($slug: String!, $status: JobStatus, $after: String) {
    workspace(slug: $slug) {
      id
      jobs(first: 25, status: $status, after: $after) {
        nodes {
          ...JobRow
        }
        pageInfo {
          endCursor
          hasNextPage
        }
      }
    }
  }
`);

/** What is listed is followed; what is not yet is looked for. */
const READ_AGAIN = 10_000;

const CANCEL = graphql(`
  mutation CancelJob($input: CancelJobInput!) {
    cancelJob(input: $input) {
      ... on CancelJobSuccess {
        job {
          ...JobRow
        }
      }
      ...Refusal
    }
  }
`);

const RETRY = graphql(`
  mutation RetryJob($input: RetryJobInput!) {
    retryJob(input: $input) {
      ... on RetryJobSuccess {
        job {
          ...JobRow
        }
      }
      ...Refusal
    }
  }
`);

export default function Jobs() {
  const t = useMessages(MESSAGES);
  const shell = useShellMessages();
  const format = useFormat();
  const { slug } = useWorkspace();
  const mayManage = useMay('ADMIN');
  const cancel = useMutate(CANCEL);
  const retry = useMutate(RETRY);
  const say = useOutcome();
  const [status, setStatus] = useState<JobStatus | null>(null);
  const [after, setAfter] = useState<string | null>(null);
  const [ending, setEnding] = useState<JobRowFragment | undefined>();
  const [{ data, error, fetching }, ask] = useQuery({
    query: JOBS,
    variables: { slug, status, after },
    requestPolicy: 'cache-and-network',
  });
  const jobs = data?.workspace?.jobs;
  // Who reads on is not taken back to the beginning.
  const isFirst = after === null;
  useEffect(() => {
    const look = () => document.visibilityState === 'visible' && ask({ requestPolicy: 'network-only' });
    const timer = isFirst ? setInterval(look, READ_AGAIN) : undefined;
    return () => clearInterval(timer);
  }, [isFirst, ask]);
  const again = () => {
    setAfter(null);
    ask({ requestPolicy: 'network-only' });
  };

  async function end() {
    say(problemIn((await cancel({ input: { jobId: ending?.id ?? '' } }))?.cancelJob), t.cancelled);
  }

  async function repeat(jobId: string) {
    say(problemIn((await retry({ input: { jobId } }))?.retryJob), t.requeued);
  }

  return (
    <>
      <Title actions={<Button onClick={again}>{t.refresh}</Button>}>{t.jobs}</Title>
      <Card>
        <label className={styles.filter}>
          {t.status}
          <select
            value={status ?? ''}
            onChange={({ target }) => {
              setAfter(null);
              setStatus((target.value || null) as JobStatus | null);
            }}
          >
            <option value="">{t.all}</option>
            {STATUSES.map((each) => (
              <option key={each} value={each}>
                {t.statuses[each]}
              </option>
            ))}
          </select>
        </label>
        {jobs ? (
          jobs.nodes.length ? (
            <>
              <Table
                caption={t.jobs}
                rows={jobs.nodes}
                id={({ id }) => id}
                columns={[
                  { key: 'kind', title: t.kind, cell: ({ kind }) => <code>{kind}</code> },
                  { key: 'subject', title: t.subject, cell: ({ subject }) => subject ?? '–' },
                  { key: 'status', title: t.status, cell: (job) => <Followed job={job} /> },
                  { key: 'attempts', title: t.attempts, cell: ({ attempts }) => attempts, numeric: true },
                  { key: 'error', title: t.error, cell: ({ error: why }) => <ServerText>{why}</ServerText> },
                  { key: 'created', title: t.created, cell: ({ createdAt }) => <Moment at={createdAt} /> },
                  {
                    key: 'next',
                    title: t.next,
                    cell: ({ nextAttemptAt }) => (nextAttemptAt ? format.moment(nextAttemptAt) : '–'),
                  },
                  {
                    key: 'actions',
                    title: t.do,
                    cell: (job) =>
                      mayManage &&
                      (job.status === 'QUEUED' || job.status === 'RUNNING' ? (
                        <Button onClick={() => setEnding(job)}>{t.cancel}</Button>
                      ) : (
                        job.status !== 'SUCCEEDED' && <Button onClick={() => void repeat(job.id)}>{t.retry}</Button>
                      )),
                  },
                ]}
              />
              {jobs.pageInfo.hasNextPage && (
                <Button busy={fetching} onClick={() => setAfter(jobs.pageInfo.endCursor ?? null)}>
                  {shell.more}
                </Button>
              )}
            </>
          ) : (
            <Empty icon="stack" title={t.noJobs}>
              {t.noJobsText}
            </Empty>
          )
        ) : error ? (
          <Failed error={error} retry={again} />
        ) : (
          <Loading lines={8} />
        )}
      </Card>
      {ending && (
        <Confirm
          title={t.cancelTitle(ending.kind)}
          action={t.cancel}
          onConfirm={end}
          onClose={() => setEnding(undefined)}
        >
          {t.cancelText}
        </Confirm>
      )}
    </>
  );
}
