import { useQuery } from 'urql';
import { useMay, useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';

const LOGGED = graphql(`
  query LoggedImports($slug: String!) {
    workspace(slug: $slug) {
      id
      started: auditLog(first: 100, action: "job.import_started") {
        nodes {
          id
          targetId
          after
        }
      }
      undone: auditLog(first: 100, action: "job.import_undone") {
        nodes {
          id
          targetId
          at
          actor {
            name
          }
        }
      }
    }
  }
`);

const FILES = graphql(`
  query ImportedFiles($ids: [ID!]!) {
    nodes(ids: $ids) {
      ... on File {
        id
        name
      }
    }
  }
`);

/** What the audit log says of imports, to those who may read it: which file it was, and who has undone it. */
export function useLogged() {
  const { slug } = useWorkspace();
  const mayRead = useMay('ADMIN');
  const [{ data }, ask] = useQuery({
    query: LOGGED,
    variables: { slug },
    pause: !mayRead,
    requestPolicy: 'cache-and-network',
  });
  const started = (data?.workspace?.started.nodes ?? []).map(({ targetId, after }) => ({
    job: targetId,
    file: (after as { file_id?: string } | null)?.file_id ?? '',
  }));
  const ids = [...new Set(started.map(({ file }) => file).filter(Boolean))];
  const [{ data: named }] = useQuery({ query: FILES, variables: { ids }, pause: !ids.length });
  const names = new Map(named?.nodes.map((each) => (each?.__typename === 'File' ? [each.id, each.name] : ['', ''])));
  return {
    fileOf: (jobId: string) => names.get(started.find(({ job }) => job === jobId)?.file ?? '') || undefined,
    undoingOf: (jobId: string) => data?.workspace?.undone.nodes.find(({ targetId }) => targetId === jobId),
    again: () => ask({ requestPolicy: 'network-only' }),
  };
}
