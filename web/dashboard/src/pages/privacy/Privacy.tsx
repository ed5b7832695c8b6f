import { useQuery } from 'urql';
import { Title } from '../../app/Title';
import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import { useMessages } from '../../i18n/catalogue';
import { Stack } from '../../ui/Stack';
import { Failed, Loading } from '../../ui/states';
import { Erase } from './Erase';
import { HandOut } from './HandOut';
import { Kept } from './Kept';
import { MESSAGES } from './messages';
import { Receipts } from './Receipts';

const PRIVACY = graphql(`
  query Privacy($slug: String!) {
    workspace(slug: $slug) {
      id
      handedOut: jobs(first: 20, kind: "export_author") {
        nodes {
          ...JobState
        }
      }
      erased: jobs(first: 5, kind: "erase_author") {
        nodes {
          ...JobState
        }
      }
      erasures {
        ...Receipt
      }
    }
  }
`);

/** What is known of authors: handed out, erased, and how long the rest is kept. */
export default function Privacy() {
  const t = useMessages(MESSAGES);
  const { slug } = useWorkspace();
  const [{ data, error }, ask] = useQuery({
    query: PRIVACY,
    variables: { slug },
    requestPolicy: 'cache-and-network',
  });
  const again = () => ask({ requestPolicy: 'network-only' });
  const workspace = data?.workspace;
  return (
    <>
      <Title>{t.title}</Title>
      {workspace ? (
        <Stack>
          <HandOut jobs={workspace.handedOut.nodes} />
          <Erase jobs={workspace.erased.nodes} onErased={again} />
          <Receipts receipts={workspace.erasures} />
          <Kept />
        </Stack>
      ) : error ? (
        <Failed error={error} retry={again} />
      ) : (
        <Loading lines={12} />
      )}
    </>
  );
}
