import { useQuery } from 'urql';
import { JobActions } from '../../app/job/JobActions';
import { JobState } from '../../app/job/JobState';
import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { JobStateFragment } from '../../gql/graphql';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { useLanguage } from '../../i18n/language';
import { Card } from '../../ui/Card';
import { Moment } from '../../ui/Moment';
import { Empty, Failed, Loading } from '../../ui/states';
import { Table } from '../../ui/Table';
import { type Made, sized } from './input';
import { MESSAGES } from './messages';

const EXPORTS = graphql(`
  query Exports($slug: String!) {
    workspace(slug: $slug) {
      id
      jobs(first: 50, kind: "export") {
        nodes {
          ...JobState
        }
      }
    }
  }
`);

/** What was exported lately, and how far what is being exported has come. */
export function Files() {
  const t = useMessages(MESSAGES);
  const format = useFormat();
  const { locale } = useLanguage();
  const { slug } = useWorkspace();
  const [{ data, error }, ask] = useQuery({
    query: EXPORTS,
    variables: { slug },
    requestPolicy: 'cache-and-network',
  });
  const jobs = data?.workspace?.jobs.nodes;
  return (
    <Card title={t.done}>
      {jobs ? (
        jobs.length ? (
          <>
            <p>{t.kept}</p>
            <Table
              caption={t.done}
              rows={jobs}
              id={({ id }) => id}
              columns={[
                { key: 'file', title: t.file, cell: ({ subject }) => subject ?? t.unnamed },
                { key: 'state', title: t.state, cell: (job) => <JobState job={job} /> },
                {
                  key: 'rows',
                  title: t.rows,
                  cell: (job) => madeBy(job) && format.number(madeBy(job)?.rows ?? 0),
                  numeric: true,
                },
                {
                  key: 'size',
                  title: t.size,
                  cell: (job) => madeBy(job) && sized(madeBy(job)?.size ?? 0, locale),
                  numeric: true,
                },
                { key: 'asked', title: t.asked, cell: ({ createdAt }) => <Moment at={createdAt} /> },
                { key: 'do', title: t.do, cell: (job) => <JobActions job={job} /> },
              ]}
            />
          </>
        ) : (
          <Empty icon="export" title={t.none}>
            {t.noneText}
          </Empty>
        )
      ) : error ? (
        <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />
      ) : (
        <Loading lines={4} />
      )}
    </Card>
  );
}

const madeBy = ({ result }: JobStateFragment) => result as Made | null;
