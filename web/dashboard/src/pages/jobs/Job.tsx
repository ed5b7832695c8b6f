import { useSubscription } from 'urql';
import { graphql } from '../../gql';
import type { JobRowFragment, JobStatus } from '../../gql/graphql';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { Badge } from '../../ui/Actions';
import { MESSAGES } from './messages';

export const JOB = graphql(`
  fragment JobRow on Job {
    id
    kind
    subject
    status
    progress
    attempts
    failures
    error
    quarantined
    createdAt
    finishedAt
    nextAttemptAt
  }
`);

const FOLLOWED = graphql(`
  subscription JobRowFollowed($jobId: ID!) {
    jobUpdated(jobId: $jobId) {
      ...JobRow
    }
  }
`);

const KINDS = { QUEUED: 'waiting', RUNNING: 'waiting', SUCCEEDED: 'good', FAILED: 'bad', CANCELLED: 'plain' } as const;

export const STATUSES = Object.keys(KINDS) as JobStatus[];

/** The same as it is now, until it has ended: what is heard is put into the cache by its id, from where `job` is. */
export function Followed({ job }: { job: JobRowFragment }) {
  const isOpen = job.status === 'QUEUED' || job.status === 'RUNNING';
  useSubscription({ query: FOLLOWED, variables: { jobId: job.id }, pause: !isOpen });
  return <Status {...job} />;
}

export function Status({ status, progress }: { status: JobStatus; progress?: number | null }) {
  const t = useMessages(MESSAGES);
  const format = useFormat();
  const isRunning = status === 'RUNNING' && progress !== null && progress !== undefined;
  return (
    <>
      <Badge kind={KINDS[status]}>{t.statuses[status]}</Badge> {isRunning && format.percent(progress)}
    </>
  );
}
