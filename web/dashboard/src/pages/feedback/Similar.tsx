import { useQuery } from 'urql';
import { Link } from 'wouter';
import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import { useMessages } from '../../i18n/catalogue';
import { Card } from '../../ui/Card';
import { Moment } from '../../ui/Moment';
import { Sentiment } from '../../ui/Sentiment';
import { Failed, Loading } from '../../ui/states';
import { MESSAGES } from './messages';
import styles from './Similar.module.css';

const SIMILAR = graphql(`
  query SimilarFeedback($id: ID!) {
    node(id: $id) {
      ... on Feedback {
        id
        similar(first: 5) {
          id
          body
          occurredAt
          source {
            id
            name
          }
          sentiment {
            label
          }
        }
      }
    }
  }
`);

/** Others that share rare words, tags or the source. */
export function Similar({ feedback }: { feedback: string }) {
  const t = useMessages(MESSAGES);
  const { slug } = useWorkspace();
  const [{ data, error }, ask] = useQuery({ query: SIMILAR, variables: { id: feedback } });
  const similar = data?.node?.__typename === 'Feedback' ? data.node.similar : undefined;
  return (
    <Card title={t.similar}>
      {similar ? (
        <ul className={styles.similar}>
          {similar.map(({ id, body, occurredAt, source, sentiment }) => (
            <li key={id}>
              <Link href={`/w/${slug}/inbox/${id}`} className={styles.body}>
                {body}
              </Link>
              <span className={styles.about}>
                <Sentiment label={sentiment?.label} /> {source.name} <Moment at={occurredAt} />
              </span>
            </li>
          ))}
          {!similar.length && <li>{t.noSimilar}</li>}
        </ul>
      ) : error ? (
        <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />
      ) : (
        <Loading lines={5} />
      )}
    </Card>
  );
}
