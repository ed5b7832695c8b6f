import { useQuery } from 'urql';
import { useMay, useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';

const LOGGED = graphql(`
  query LoggedImports($slug: String!) {
    workspace(slug: $slug) {
      id
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

/** What the audit log says of imports, to those who may read it: who has undone which. */
export function useLogged() {
  const { slug } = useWorkspace();
  const mayRead = useMay('ADMIN');
  const [{ data }, ask] = useQuery({
    query: LOGGED,
    variables: { slug },
    pause: !mayRead,
    requestPolicy: 'cache-and-network',
  });
  return {
    undoingOf: (jobId: string) => data?.workspace?.undone.nodes.find(({ targetId }) => targetId === jobId),
    again: () => ask({ requestPolicy: 'network-only' }),
  };
}
