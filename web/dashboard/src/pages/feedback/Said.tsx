import { useShellMessages } from '../../app/messages';
import type { FeedbackDetailFragment } from '../../gql/graphql';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { Card } from '../../ui/Card';
import { Sentiment } from '../../ui/Sentiment';
import { MESSAGES } from './messages';
import styles from './Said.module.css';
import { segments } from './segments';

/** The text, sentence by sentence in the colour of what the model makes of it, and what it makes of the whole. */
export function Said({ feedback: { body, sentiment, unscoredReason } }: { feedback: FeedbackDetailFragment }) {
  const t = useMessages(MESSAGES);
  const shell = useShellMessages();
  const format = useFormat();
  return (
    <Card title={t.said}>
      <p className={styles.text}>
        {segments(body, sentiment?.spans ?? []).map(({ text, label, start }) =>
          label ? (
            <mark key={start} data-label={label} title={shell.sentiment[label]}>
              {text}
              <span className="unseen"> {t.sentence(shell.sentiment[label])} </span>
            </mark>
          ) : (
            <span key={start}>{text}</span>
          ),
        )}
      </p>
      {sentiment && sentiment.spans.length > 1 && <p className={styles.note}>{t.spansMean}</p>}
      <dl className={styles.figures} aria-live="polite">
        <div>
          <dt className="unseen">{shell.sentiment[sentiment?.label ?? 'none']}</dt>
          <dd>
            <Sentiment label={sentiment?.label} />
          </dd>
        </div>
        {sentiment ? (
          <>
            <div>
              <dt>{t.score}</dt>
              <dd title={t.scoreMeans}>{format.decimal(sentiment.score)}</dd>
            </div>
            <div>
              <dt>{t.confidence}</dt>
              <dd>{format.percent(sentiment.confidence)}</dd>
            </div>
            <div>
              <dt>{t.model}</dt>
              <dd>{sentiment.model}</dd>
            </div>
          </>
        ) : (
          unscoredReason && <span>{t.unscored[unscoredReason]}</span>
        )}
      </dl>
    </Card>
  );
}
