import type { AlertPreviewFragment } from '../../gql/graphql';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { type Bar, bands, range } from './chart';
import { MESSAGES } from './messages';
import styles from './PreviewChart.module.css';

const WIDTH = 1_000;
const HEIGHT = 140;
/** Above the bars, for the signs of what would have fired. */
const HEAD = 12;
const LEAST_BAND = 3;
const GAP = 0.15;

interface Props {
  bars: readonly Bar[];
  firings: AlertPreviewFragment['firings'];
  threshold: number | null;
  /** What a bar is. */
  label: string;
}

/** Bars of what the rule looked at, and a band for each time that it would have fired; the table below says the same. */
export function PreviewChart({ bars, firings, threshold, label }: Props) {
  const t = useMessages(MESSAGES);
  const format = useFormat();
  const first = bars[0];
  const last = bars.at(-1);
  if (!first || !last) return null;
  const [least, most] = range(bars, threshold);
  const x = (at: number) => ((at - first.start) / (last.end - first.start)) * WIDTH;
  const y = (value: number) => HEAD + ((most - value) / (most - least)) * HEIGHT;
  return (
    <figure className={styles.figure}>
      <svg
        className={styles.chart}
        viewBox={`0 0 ${WIDTH} ${HEAD + HEIGHT}`}
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        {bands(firings, first.start, last.end).map(({ from, to }) => {
          const width = Math.max((to - from) * WIDTH, LEAST_BAND);
          return (
            <g key={from}>
              <rect className={styles.band} x={from * WIDTH} y={0} width={width} height={HEAD + HEIGHT} />
              <rect className={styles.sign} x={from * WIDTH} y={0} width={width} height={HEAD / 2} />
            </g>
          );
        })}
        {bars.map(({ start, end, value }) => {
          const width = x(end) - x(start);
          const top = y(Math.max(value ?? 0, 0));
          return (
            <rect
              key={start}
              className={styles.bar}
              x={x(start) + (width * GAP) / 2}
              y={top}
              width={width * (1 - GAP)}
              height={Math.max(y(Math.min(value ?? 0, 0)) - top, 0)}
            />
          );
        })}
        {threshold !== null && (
          <line className={styles.threshold} x1={0} x2={WIDTH} y1={y(threshold)} y2={y(threshold)} />
        )}
      </svg>
      <figcaption>
        <div className={styles.axis} aria-hidden="true">
          <span>{format.date(new Date(first.start).toISOString())}</span>
          <span>{format.date(new Date(last.end - 1).toISOString())}</span>
        </div>
        <div className={styles.keys} aria-hidden="true">
          <span className={styles.barKey}>{label}</span>
          <span className={styles.bandKey}>{t.wouldFire}</span>
          {threshold !== null && <span className={styles.thresholdKey}>{t.thresholdLine}</span>}
        </div>
      </figcaption>
    </figure>
  );
}
