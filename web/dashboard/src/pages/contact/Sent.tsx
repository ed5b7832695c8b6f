import { useQuery } from 'urql';
import { JobState } from '../../app/job/JobState';
import { graphql } from '../../gql';
import { useMessages } from '../../i18n/catalogue';
import { Actions } from '../../ui/Actions';
import { Button } from '../../ui/Button';
import { Stack } from '../../ui/Stack';
import { MESSAGES } from './messages';

const DELIVERY = graphql(`
  query ContactDelivery($id: ID!) {
    job(id: $id) {
      ...JobState
    }
  }
`);

interface Props {
  jobId: string;
  email: string;
  onAnother: () => void;
}

/** What becomes of a message, as it happens: whoever knows the job's id may follow it. */
export function Sent({ jobId, email, onAnother }: Props) {
  const t = useMessages(MESSAGES);
  const [{ data }] = useQuery({ query: DELIVERY, variables: { id: jobId } });
  const job = data?.job;
  const result = job?.result as { thanked?: boolean } | null | undefined;
  return (
    <Stack>
      <p role="status">{t.states[job?.status ?? 'QUEUED']}</p>
      {result?.thanked !== undefined && <p>{result.thanked ? t.thanked(email) : t.notThanked(email)}</p>}
      {job && <JobState job={job} />}
      <Actions>
        <Button onClick={onAnother}>{t.another}</Button>
      </Actions>
    </Stack>
  );
}
