import { useState } from 'react';
import { useQuery } from 'urql';
import { Link } from 'wouter';
import { JobState } from '../../app/job/JobState';
import { useShellMessages } from '../../app/messages';
import { Title } from '../../app/Title';
import { useMay, useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Code } from '../../ui/Copy';
import { Field, Form, type Values } from '../../ui/Form';
import { Moment } from '../../ui/Moment';
import { useOutcome } from '../../ui/outcome';
import { Columns, Stack } from '../../ui/Stack';
import { Empty, Failed, Loading } from '../../ui/states';
import { Table } from '../../ui/Table';
import { MESSAGES } from './messages';

const CONTACT = graphql(`
  query Contact($slug: String!, $after: String) {
    workspace(slug: $slug) {
      id
      inboxEmail
      jobs(first: 20, after: $after, kind: "deliver_contact") {
        nodes {
          ...JobState
        }
        pageInfo {
          endCursor
          hasNextPage
        }
      }
    }
  }
`);

const UPDATE = graphql(`
  mutation UpdateInbox($input: UpdateWorkspaceInput!) {
    updateWorkspace(input: $input) {
      ... on UpdateWorkspaceSuccess {
        workspace {
          id
          inboxEmail
        }
      }
      ...Refusal
    }
  }
`);

/** Where visitors write, who reads it, and whether it was delivered. */
export default function Contact() {
  const t = useMessages(MESSAGES);
  const shell = useShellMessages();
  const { id: workspaceId, slug } = useWorkspace();
  const mayManage = useMay('ADMIN');
  const update = useMutate(UPDATE);
  const say = useOutcome();
  const [after, setAfter] = useState<string | null>(null);
  const [{ data, error, fetching }, ask] = useQuery({
    query: CONTACT,
    variables: { slug, after },
    requestPolicy: 'cache-and-network',
  });
  const workspace = data?.workspace;

  async function save(values: Values) {
    const input = { workspaceId, inboxEmail: values.maybe('inboxEmail') ?? null };
    const problem = problemIn((await update({ input }))?.updateWorkspace);
    if (!problem) say(undefined, t.saved);
    return problem;
  }

  return (
    <>
      <Title>{t.title}</Title>
      {workspace ? (
        <Stack>
          <Columns least={26}>
            <Card title={t.link}>
              <p>{t.linkText}</p>
              <Code text={`${location.origin}/contact/${slug}`} label={t.copyLink} />
              <Link href={`/contact/${slug}`}>{t.open}</Link>
            </Card>
            <Card title={t.inbox}>
              <p>{workspace.inboxEmail ? t.inboxIs(workspace.inboxEmail) : t.inboxOwners}</p>
              {mayManage && (
                <Form onSubmit={save} submit={t.save}>
                  <Field
                    name="inboxEmail"
                    label={t.inboxEmail}
                    hint={t.inboxHint}
                    type="email"
                    autoComplete="off"
                    defaultValue={workspace.inboxEmail ?? ''}
                  />
                </Form>
              )}
            </Card>
          </Columns>
          <Card title={t.sent}>
            {workspace.jobs.nodes.length ? (
              <>
                <Table
                  caption={t.sent}
                  rows={workspace.jobs.nodes}
                  id={({ id }) => id}
                  columns={[
                    { key: 'when', title: t.when, cell: ({ createdAt }) => <Moment at={createdAt} /> },
                    { key: 'state', title: t.state, cell: (job) => <JobState job={job} /> },
                  ]}
                />
                {workspace.jobs.pageInfo.hasNextPage && (
                  <Button busy={fetching} onClick={() => setAfter(workspace.jobs.pageInfo.endCursor ?? null)}>
                    {shell.more}
                  </Button>
                )}
              </>
            ) : (
              <Empty icon="mail" title={t.none}>
                {t.noneText}
              </Empty>
            )}
          </Card>
        </Stack>
      ) : error ? (
        <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />
      ) : (
        <Loading lines={8} />
      )}
    </>
  );
}
