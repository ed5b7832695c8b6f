import { useState } from 'react';
import { useQuery } from 'urql';
import { Link } from 'wouter';
import { isOpen, JobState } from '../../app/job/JobState';
import { useShellMessages } from '../../app/messages';
import { Title } from '../../app/Title';
import { useChoices } from '../../app/triage';
import { useMay, useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { Badge } from '../../ui/Actions';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Moment } from '../../ui/Moment';
import { Stack } from '../../ui/Stack';
import { Empty, Failed, Loading } from '../../ui/states';
import { Table } from '../../ui/Table';
import { counted } from './fields';
import { MESSAGES } from './messages';
import { New } from './New';
import { useLogged } from './useLogged';

const IMPORTS = graphql(`
  query Imports($slug: String!, $after: String) {
    workspace(slug: $slug) {
      id
      jobs(first: 20, after: $after, kind: "import") {
        nodes {
          ...ImportRow
        }
        pageInfo {
          endCursor
          hasNextPage
        }
      }
    }
  }
`);

export const IMPORT = graphql(`
  fragment ImportRow on Job {
    ...JobState
    createdById
  }
`);

/** Files that become feedback: a new one, and those before. */
export default function Imports() {
  const t = useMessages(MESSAGES);
  const shell = useShellMessages();
  const format = useFormat();
  const { slug } = useWorkspace();
  const mayImport = useMay('ANALYST');
  const { members, areThere } = useChoices();
  const logged = useLogged();
  const [after, setAfter] = useState<string | null>(null);
  const [{ data, error, fetching }, ask] = useQuery({
    query: IMPORTS,
    variables: { slug, after },
    requestPolicy: 'cache-and-network',
  });
  const jobs = data?.workspace?.jobs;
  const again = () => {
    setAfter(null);
    ask({ requestPolicy: 'network-only' });
  };
  const number = (value: number | undefined) => (value === undefined ? '–' : format.number(value));

  return (
    <>
      <Title>{t.title}</Title>
      <Stack>
        {mayImport && <New />}
        <Card title={t.earlier}>
          {jobs ? (
            jobs.nodes.length ? (
              <>
                <Table
                  caption={t.earlier}
                  rows={jobs.nodes}
                  id={({ id }) => id}
                  columns={[
                    {
                      key: 'file',
                      title: t.file,
                      cell: ({ id, subject, createdAt }) => (
                        <Link href={`/w/${slug}/imports/${id}`}>
                          {subject ?? `${t.import} ${format.moment(createdAt)}`}
                        </Link>
                      ),
                    },
                    {
                      key: 'state',
                      title: t.state,
                      cell: (job) =>
                        logged.undoingOf(job.id) && !isOpen(job) ? <Badge>{t.undone}</Badge> : <JobState job={job} />,
                    },
                    {
                      key: 'stored',
                      title: t.stored,
                      cell: ({ result }) => number(counted(result)?.stored),
                      numeric: true,
                    },
                    {
                      key: 'refused',
                      title: t.refused,
                      cell: ({ result }) => number(counted(result)?.refused),
                      numeric: true,
                    },
                    {
                      key: 'by',
                      title: t.by,
                      cell: ({ createdById }) =>
                        members.find(({ user }) => user.id === createdById)?.user.name ?? (areThere ? '–' : '…'),
                    },
                    { key: 'asked', title: t.asked, cell: ({ createdAt }) => <Moment at={createdAt} /> },
                  ]}
                />
                {jobs.pageInfo.hasNextPage && (
                  <Button busy={fetching} onClick={() => setAfter(jobs.pageInfo.endCursor ?? null)}>
                    {shell.more}
                  </Button>
                )}
              </>
            ) : (
              <Empty icon="import" title={t.none}>
                {t.noneText}
              </Empty>
            )
          ) : error ? (
            <Failed error={error} retry={again} />
          ) : (
            <Loading lines={5} />
          )}
        </Card>
      </Stack>
    </>
  );
}
