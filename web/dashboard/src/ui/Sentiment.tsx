import { useShellMessages } from '../app/messages';
import type { SentimentLabel } from '../gql/graphql';
import styles from './Sentiment.module.css';

/** A sentiment in a word and a colour. */
export function Sentiment({ label }: { label: SentimentLabel | null | undefined }) {
  const { sentiment } = useShellMessages();
  return (
    <span className={styles.badge} data-label={label ?? 'none'}>
      {sentiment[label ?? 'none']}
    </span>
  );
}
