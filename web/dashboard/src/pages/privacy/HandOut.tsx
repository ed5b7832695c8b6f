import { JobActions } from '../../app/job/JobActions';
import { JobState } from '../../app/job/JobState';
import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { JobStateFragment } from '../../gql/graphql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { Card } from '../../ui/Card';
import { Form, type Values } from '../../ui/Form';
import { Moment } from '../../ui/Moment';
import { Table } from '../../ui/Table';
import { useToast } from '../../ui/toast';
import { AuthorFields } from './AuthorFields';
import { authorIn } from './author';
import { MESSAGES } from './messages';

const EXPORT = graphql(`
  mutation ExportAuthorData($input: ExportAuthorDataInput!) {
    exportAuthorData(input: $input) {
      ... on ExportAuthorDataSuccess {
        job {
          ...JobState
        }
      }
      ...Refusal
    }
  }
`);

/** Everything about one author, as a file. */
export function HandOut({ jobs }: { jobs: readonly JobStateFragment[] }) {
  const t = useMessages(MESSAGES);
  const format = useFormat();
  const { id: workspaceId } = useWorkspace();
  const start = useMutate(EXPORT);
  const toast = useToast();

  async function begin(values: Values) {
    const problem = problemIn((await start({ input: { workspaceId, ...authorIn(values) } }))?.exportAuthorData);
    if (!problem) toast({ text: t.handedOut });
    return problem;
  }

  return (
    <Card title={t.handOut}>
      <p>{t.handOutText}</p>
      <Form onSubmit={begin} submit={t.handOutIt}>
        <AuthorFields />
      </Form>
      <h3>{t.files}</h3>
      {jobs.length ? (
        <Table
          caption={t.files}
          rows={jobs}
          id={({ id }) => id}
          columns={[
            { key: 'asked', title: t.asked, cell: ({ createdAt }) => <Moment at={createdAt} /> },
            { key: 'state', title: t.state, cell: (job) => <JobState job={job} /> },
            {
              key: 'feedback',
              title: t.feedback,
              cell: ({ result }) => result !== null && format.number((result as { feedback: number }).feedback),
              numeric: true,
            },
            { key: 'do', title: t.do, cell: (job) => <JobActions job={job} /> },
          ]}
        />
      ) : (
        <p>{t.noFiles}</p>
      )}
    </Card>
  );
}
