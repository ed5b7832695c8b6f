import { Link, useLocation } from 'wouter';
import { useSession } from '../../app/session';
import { Title } from '../../app/Title';
import { graphql } from '../../gql';
import { type Problem, problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { catalogue, useMessages } from '../../i18n/catalogue';
import { Card } from '../../ui/Card';
import { Field, Form, type Values } from '../../ui/Form';
import { Stack } from '../../ui/Stack';
import { Empty } from '../../ui/states';
import { Table } from '../../ui/Table';

const CREATE = graphql(`
  mutation CreateWorkspace($input: CreateWorkspaceInput!) {
    createWorkspace(input: $input) {
      ... on CreateWorkspaceSuccess {
        workspace {
          id
          slug
        }
      }
      ...Refusal
    }
  }
`);

const MESSAGES = catalogue({ en: () => import('./messages.en'), de: () => import('./messages.de') });

export default function Workspaces() {
  const t = useMessages(MESSAGES);
  const { workspaces, changed } = useSession();
  const create = useMutate(CREATE);
  const [, go] = useLocation();

  async function make(values: Values): Promise<Problem | undefined> {
    const slug = values.text('slug');
    const answer = await create({ input: { name: values.text('name'), slug } });
    const problem = problemIn(answer?.createWorkspace);
    if (!problem) {
      go(`/w/${slug}`);
      changed();
    }
    return problem;
  }

  return (
    <>
      <Title>{t.title}</Title>
      <Stack>
        <Card title={t.yours}>
          {workspaces.length ? (
            <Table
              caption={t.title}
              rows={workspaces}
              id={({ id }) => id}
              columns={[
                { key: 'name', title: t.name, cell: ({ slug, name }) => <Link href={`/w/${slug}`}>{name}</Link> },
                { key: 'role', title: t.role, cell: ({ viewerRole }) => t.roles[viewerRole] },
              ]}
            />
          ) : (
            <Empty icon="stack" title={t.none}>
              {t.noneText}
            </Empty>
          )}
        </Card>
        <Card title={t.make}>
          <Form onSubmit={make} submit={t.submit} problems={{ Conflict: t.taken }}>
            <Field name="name" label={t.name} maxLength={200} required />
            <Field name="slug" label={t.slug} hint={t.slugHint} maxLength={63} required />
          </Form>
        </Card>
      </Stack>
    </>
  );
}
