import { useShellMessages } from '../../app/messages';
import type { OverviewQuery } from '../../gql/graphql';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import styles from './Days.module.css';
import { MESSAGES } from './messages';

type Stats = NonNullable<OverviewQuery['workspace']>;
type Bucket = Stats['stats']['buckets'][number];
type Before = Stats['before']['buckets'][number];

const HEIGHT = 120;
const STEP = 20;
const GAP = 4;
/** From the bottom up. */
const LABELS = ['negative', 'neutral', 'positive'] as const;

/** A bar a day, and a line for as many days before; who cannot see it is given the table that it was drawn from. */
export function Days({ buckets, before }: { buckets: readonly Bucket[]; before: readonly Before[] }) {
  const t = useMessages(MESSAGES);
  const { sentiment } = useShellMessages();
  const format = useFormat();
  const most = Math.max(1, ...[...buckets, ...before].map(({ counts }) => counts.total));
  const line = before.map(({ counts }, day) => `${day * STEP + STEP / 2},${HEIGHT - (counts.total / most) * HEIGHT}`);
  return (
    <figure className={styles.figure}>
      <svg
        className={styles.chart}
        viewBox={`0 0 ${buckets.length * STEP} ${HEIGHT}`}
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        {buckets.map(({ start, counts }, day) => {
          let top = HEIGHT;
          return (
            <g key={start}>
              <title>{`${format.date(start)}: ${format.number(counts.total)}`}</title>
              <rect className={styles.ground} x={day * STEP} y={0} width={STEP} height={HEIGHT} />
              {LABELS.map((label) => {
                const height = (counts[label] / most) * HEIGHT;
                top -= height;
                return (
                  <rect
                    key={label}
                    className={styles[label]}
                    x={day * STEP + GAP / 2}
                    y={top}
                    width={STEP - GAP}
                    height={height}
                  />
                );
              })}
            </g>
          );
        })}
        <polyline className={styles.before} points={line.join(' ')} />
      </svg>
      <figcaption className={styles.axis} aria-hidden="true">
        <span>{buckets[0] && format.date(buckets[0].start)}</span>
        <span className={styles.key}>{t.before}</span>
        <span>{buckets.length > 0 && format.date(buckets[buckets.length - 1]?.start ?? '')}</span>
      </figcaption>
      {/* A table is as wide as its words, whatever its style says. */}
      <div className="unseen">
        <table>
          <caption>{t.chart}</caption>
          <thead>
            <tr>
              <th scope="col">{t.day}</th>
              <th scope="col">{sentiment.POSITIVE}</th>
              <th scope="col">{sentiment.NEUTRAL}</th>
              <th scope="col">{sentiment.NEGATIVE}</th>
              <th scope="col">{t.before}</th>
            </tr>
          </thead>
          <tbody>
            {buckets.map(({ start, counts }, day) => (
              <tr key={start}>
                <th scope="row">{format.date(start)}</th>
                <td>{counts.positive}</td>
                <td>{counts.neutral}</td>
                <td>{counts.negative}</td>
                <td>{before[day]?.counts.total}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}
