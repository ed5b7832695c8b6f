import { useSubscription } from 'urql';
import { graphql } from '../../gql';
import type { JobStateFragment } from '../../gql/graphql';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { Badge } from '../../ui/Actions';
import styles from './JobState.module.css';
import { MESSAGES } from './messages';

export const JOB_STATE = graphql(`
  fragment JobState on Job {
    id
    kind
    subject
    status
    progress
    error
    result
    createdAt
    finishedAt
  }
`);

const FOLLOWED = graphql(`
  subscription JobFollowed($jobId: ID!) {
    jobUpdated(jobId: $jobId) {
      ...JobState
    }
  }
`);

const KINDS = { QUEUED: 'waiting', RUNNING: 'waiting', SUCCEEDED: 'good', FAILED: 'bad', CANCELLED: 'plain' } as const;

/** Whether it still waits or runs. */
export const isOpen = ({ status }: Pick<JobStateFragment, 'status'>) => status === 'QUEUED' || status === 'RUNNING';

/** How far a job has come: followed live until it has ended, everywhere it is shown. */
export function JobState({ job }: { job: JobStateFragment }) {
  const t = useMessages(MESSAGES);
  const format = useFormat();
  const { id, status, progress, error } = job;
  // What is heard is put into the cache by its id, from where `job` is.
  useSubscription({ query: FOLLOWED, variables: { jobId: id }, pause: !isOpen(job) });
  const isMeasured = status === 'RUNNING' && progress !== null;
  return (
    <div className={styles.state}>
      <Badge kind={KINDS[status]}>{t.statuses[status]}</Badge>
      {isMeasured && (
        <>
          <progress className={styles.progress} aria-label={t.progress} value={progress} max={1} />
          <span>{format.percent(progress)}</span>
        </>
      )}
      {error && status !== 'SUCCEEDED' && (
        <span className={styles.error} lang="en">
          {error}
        </span>
      )}
    </div>
  );
}
