import { useShellMessages } from '../../app/messages';
import type { CountsFragment } from '../../gql/graphql';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import styles from './Figures.module.css';
import { MESSAGES } from './messages';

const LABELS = ['positive', 'neutral', 'negative'] as const;

interface Props {
  counts: CountsFragment;
  before: CountsFragment;
  /** Of which time they are. */
  title: string;
}

/** What it comes to: how much, how it feels, how it is rated. */
export function Figures({ counts, before, title }: Props) {
  const t = useMessages(MESSAGES);
  const { sentiment } = useShellMessages();
  const format = useFormat();
  const scored = counts.total - counts.unscored;
  const share = (count: number) => (scored ? count / scored : 0);
  return (
    <section className={styles.figures} aria-label={title}>
      <div className={styles.figure}>
        <span className={styles.label}>{t.total}</span>
        <strong>{format.number(counts.total)}</strong>
        <span className={styles.means}>
          {title}
          {before.total > 0 && <br />}
          {before.total > 0 && t.than(format.change(counts.total / before.total - 1))}
        </span>
      </div>
      <div className={`${styles.figure} ${styles.shares}`}>
        <div className={styles.bar} aria-hidden="true">
          {LABELS.map((label) => (
            <span key={label} data-label={label} style={{ flexGrow: share(counts[label]) }} />
          ))}
        </div>
        <dl>
          {LABELS.map((label) => (
            <div key={label} data-label={label}>
              <dt>{sentiment[label.toUpperCase() as Uppercase<typeof label>]}</dt>
              <dd>{format.percent(share(counts[label]))}</dd>
            </div>
          ))}
        </dl>
      </div>
      <div className={styles.figure}>
        <span className={styles.label}>{t.score}</span>
        <strong>{counts.averageScore === null ? '–' : format.decimal(counts.averageScore)}</strong>
        <span className={styles.means}>
          {t.scoreMeans}
          {before.averageScore !== null && <br />}
          {before.averageScore !== null && t.was(format.decimal(before.averageScore))}
        </span>
      </div>
      <div className={styles.figure}>
        <span className={styles.label}>{t.rating}</span>
        <strong>{counts.averageRating === null ? '–' : format.decimal(counts.averageRating)}</strong>
        <span className={styles.means}>
          {t.ratingMeans}
          {before.averageRating !== null && <br />}
          {before.averageRating !== null && t.was(format.decimal(before.averageRating))}
        </span>
      </div>
    </section>
  );
}
