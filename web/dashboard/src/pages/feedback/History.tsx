import { useShellMessages } from '../../app/messages';
import type { FeedbackDetailFragment, FeedbackStatus } from '../../gql/graphql';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { Card } from '../../ui/Card';
import { Moment } from '../../ui/Moment';
import styles from './History.module.css';
import { MESSAGES } from './messages';

type Change = FeedbackDetailFragment['history'][number];

/** Who changed what and when, the latest first, and what the message was before its source changed it. */
export function History({ feedback: { history, revisions } }: { feedback: FeedbackDetailFragment }) {
  const t = useMessages(MESSAGES);
  const format = useFormat();
  const says = useSaid();
  return (
    <Card title={t.history}>
      <ol className={styles.history}>
        {history.map((change) => (
          <li key={change.at + change.kind}>
            <span>{says(change)}</span>
            <span className={styles.about}>
              {change.actor?.name ?? t.bySource} · <Moment at={change.at} />
            </span>
          </li>
        ))}
        {!history.length && <li>{t.noHistory}</li>}
      </ol>
      {revisions.map(({ body, replacedAt }) => (
        <details key={replacedAt}>
          <summary>
            {t.before} ({format.moment(replacedAt)})
          </summary>
          <p className={styles.before}>{body}</p>
        </details>
      ))}
    </Card>
  );
}

/** A change in the reader's words: the names in it are as they were then. */
function useSaid() {
  const { changes } = useMessages(MESSAGES);
  const { status, nobody } = useShellMessages();
  return ({ kind, removed, added }: Change): string => {
    if (kind === 'MESSAGE') return changes.MESSAGE;
    const named = (words: readonly string[]) => {
      if (kind === 'STATUS') return words.map((word) => status[word as FeedbackStatus] ?? word).join(', ');
      return words.join(', ') || (kind === 'ASSIGNEE' ? nobody : '');
    };
    return changes[kind](named(removed), named(added));
  };
}
