import { type KeyboardEvent, memo, type PointerEvent, useState } from 'react';
import { useShellMessages } from '../../app/messages';
import type { OverviewQuery } from '../../gql/graphql';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { Button } from '../../ui/Button';
import styles from './Days.module.css';
import { MESSAGES } from './messages';
import { type Period, part, written } from './period';

type Stats = NonNullable<OverviewQuery['workspace']>;
type Bucket = Stats['stats']['buckets'][number];
type Before = Stats['before']['buckets'][number];

const HEIGHT = 120;
const STEP = 20;
const GAP = 4;
/** From the bottom up. */
const LABELS = ['negative', 'neutral', 'positive'] as const;

interface Props {
  period: Period;
  buckets: readonly Bucket[];
  before: readonly Before[];
  /** Told the part that was chosen, as the address says it. */
  onChoose: (part: string) => void;
  isBusy: boolean;
}

/**
 * A bar for each part of the period, and a line for as long before; who cannot see it is given the table that it was drawn
 * from. A part of it is chosen by dragging over it, or by keys.
 */
export const Days = memo(function Days({ period, buckets, before, onChoose, isBusy }: Props) {
  const t = useMessages(MESSAGES);
  const { sentiment } = useShellMessages();
  const format = useFormat();
  const [choice, choose] = useState<{ of: string; from: number; to: number } | undefined>();
  const [isDragging, setDragging] = useState(false);
  const starts = buckets.map(({ start }) => start);
  // What was chosen of another time means nothing of this one.
  const of = written(period.from, period.to);
  const chosen = choice?.of === of ? choice : undefined;
  const name = (bucket: number) =>
    (period.interval === 'HOUR' ? format.moment : format.date)(starts[bucket] ?? period.from.toISOString());
  const [first, last] = chosen ? [Math.min(chosen.from, chosen.to), Math.max(chosen.from, chosen.to)] : [0, -1];
  const isZoomable = period.days > 1;

  function zoom() {
    if (chosen) onChoose(part(period, starts, chosen.from, chosen.to));
    choose(undefined);
  }

  function under({ currentTarget, clientX }: PointerEvent): number {
    const { left, width } = currentTarget.getBoundingClientRect();
    const at = Math.floor(((clientX - left) / width) * buckets.length);
    return Math.max(0, Math.min(buckets.length - 1, at));
  }

  function pressed(event: KeyboardEvent) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) {
      const at = Math.max(0, Math.min(buckets.length - 1, (chosen?.to ?? buckets.length) + by));
      choose({ of, from: event.shiftKey && chosen ? chosen.from : at, to: at });
    } else if (event.key === 'Enter' && chosen) zoom();
    else if (event.key === 'Escape' && chosen) choose(undefined);
    else return;
    event.preventDefault();
  }

  const most = Math.max(1, ...[...buckets, ...before].map(({ counts }) => counts.total));
  const line = before.map(({ counts }, day) => `${day * STEP + STEP / 2},${HEIGHT - (counts.total / most) * HEIGHT}`);
  return (
    <figure className={styles.figure}>
      <div className={styles.most} aria-hidden="true">
        {format.number(most)}
      </div>
      {/* biome-ignore-start lint/a11y/noNoninteractiveTabindex: keys choose a part of it, as dragging does */}
      {/* biome-ignore-start lint/a11y/noStaticElementInteractions: the same */}
      {/* biome-ignore-start lint/a11y/useSemanticElements: no element is this */}
      <div
        role="group"
        aria-label={isZoomable ? t.chartKeys : t.chart[period.interval]}
        tabIndex={isZoomable ? 0 : undefined}
        className={styles.frame}
        data-busy={isBusy || undefined}
        onKeyDown={isZoomable ? pressed : undefined}
        onPointerDown={(event) => {
          if (!isZoomable || event.button !== 0 || event.pointerType === 'touch') return;
          event.currentTarget.setPointerCapture(event.pointerId);
          setDragging(true);
          choose({ of, from: under(event), to: under(event) });
        }}
        onPointerMove={(event) => isDragging && chosen && choose({ ...chosen, to: under(event) })}
        onPointerUp={() => {
          setDragging(false);
          // A press without a drag marks; what was dragged over is what is wanted.
          if (isDragging && chosen && chosen.from !== chosen.to) zoom();
        }}
        onPointerCancel={() => setDragging(false)}
      >
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
                <title>{`${name(day)}: ${format.number(counts.total)}`}</title>
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
          {chosen && (
            <rect className={styles.chosen} x={first * STEP} y={0} width={(last - first + 1) * STEP} height={HEIGHT} />
          )}
          <polyline className={styles.before} points={line.join(' ')} />
        </svg>
      </div>
      {/* biome-ignore-end lint/a11y/noNoninteractiveTabindex: see above */}
      {/* biome-ignore-end lint/a11y/noStaticElementInteractions: see above */}
      {/* biome-ignore-end lint/a11y/useSemanticElements: see above */}
      <figcaption className={styles.axis} aria-hidden="true">
        <span>{buckets.length > 0 && name(0)}</span>
        <span className={styles.key}>{t.before}</span>
        <span>{buckets.length > 0 && name(buckets.length - 1)}</span>
      </figcaption>
      <div role="status" className={styles.zoom}>
        {chosen && !isDragging && (
          <Button icon="search" onClick={zoom}>
            {t.zoom(name(first), name(last))}
          </Button>
        )}
      </div>
      {/* A table is as wide as its words, whatever its style says. */}
      <div className="unseen">
        <table>
          <caption>{t.chart[period.interval]}</caption>
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
                <th scope="row">{name(day)}</th>
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
});
