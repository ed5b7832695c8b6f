import { useShellMessages } from '../app/messages';
import type { FeedbackStatus } from '../gql/graphql';
import styles from './Status.module.css';

/** How far people have come with a feedback: a sign that fills, and the word. */
export function Status({ status }: { status: FeedbackStatus }) {
  const shell = useShellMessages();
  return (
    <span className={styles.status} data-status={status}>
      <span className={styles.sign} aria-hidden="true" />
      {shell.status[status]}
    </span>
  );
}
