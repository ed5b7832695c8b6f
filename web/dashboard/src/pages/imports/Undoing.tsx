import { useQuery } from 'urql';
import { JobState } from '../../app/job/JobState';
import { graphql } from '../../gql';
import { useMessages } from '../../i18n/catalogue';
import { Card } from '../../ui/Card';
import { Loading } from '../../ui/states';
import { MESSAGES } from './messages';

const UNDOING = graphql(`
  query UndoingImport($id: ID!) {
    job(id: $id) {
      ...ImportRow
    }
  }
`);

/** What an import has added is being deleted. */
export function Undoing({ jobId }: { jobId: string }) {
  const t = useMessages(MESSAGES);
  const [{ data }] = useQuery({ query: UNDOING, variables: { id: jobId }, requestPolicy: 'cache-and-network' });
  const deleted = (data?.job?.result as { deleted?: number } | null | undefined)?.deleted;
  return (
    <Card title={t.undoing}>
      {data?.job ? <JobState job={data.job} /> : <Loading lines={1} />}
      {deleted !== undefined && <p>{t.deleted(deleted)}</p>}
    </Card>
  );
}
