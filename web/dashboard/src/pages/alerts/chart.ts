import type { AlertMetric, AlertPreviewStatsQuery, SentimentLabel } from '../../gql/graphql';

type Bucket = NonNullable<AlertPreviewStatsQuery['workspace']>['stats']['buckets'][number];

/** A number of a stretch of time; null where there is nothing to take a mean of. */
export interface Bar {
  start: number;
  end: number;
  value: number | null;
}

const HOUR = 3_600_000;
/** So many hours are still told apart. */
const MOST_HOURS = 200;

/** How long a bar is: an hour, or a day where hours would be too many. */
export function intervalOf(start: string, end: string): 'HOUR' | 'DAY' {
  return (Date.parse(end) - Date.parse(start)) / HOUR <= MOST_HOURS ? 'HOUR' : 'DAY';
}

/** What the rule looks at, for each stretch of time; `end` ends the last one. */
export function bars(
  buckets: readonly Bucket[],
  end: string,
  metric: AlertMetric,
  shareOf: readonly SentimentLabel[],
): Bar[] {
  return buckets.map(({ start, counts }, index) => ({
    start: Date.parse(start),
    end: Date.parse(buckets[index + 1]?.start ?? end),
    value: numberOf(counts, metric, shareOf),
  }));
}

function numberOf(counts: Bucket['counts'], metric: AlertMetric, shareOf: readonly SentimentLabel[]): number | null {
  if (metric === 'COUNT') return counts.total;
  if (metric === 'SCORE') return counts.averageScore;
  if (metric === 'RATING') return counts.averageRating;
  const scored = counts.total - counts.unscored;
  const of = { POSITIVE: counts.positive, NEUTRAL: counts.neutral, NEGATIVE: counts.negative };
  return scored ? (shareOf.reduce((sum, label) => sum + of[label], 0) / scored) * 100 : null;
}

/** The lowest and the highest number to be drawn: zero and the threshold are among them. */
export function range(drawn: readonly Bar[], threshold: number | null): [number, number] {
  const values = [0, threshold ?? 0, ...drawn.flatMap(({ value }) => value ?? [])];
  const least = Math.min(...values);
  return [least, Math.max(...values, least + 1e-9)];
}

/** From when to when the rule would have fired, as shares of the time that is drawn. */
export function bands(
  firings: readonly { firedAt: string; resolvedAt: string | null }[],
  from: number,
  to: number,
): { from: number; to: number }[] {
  const share = (at: number) => Math.min(Math.max((at - from) / (to - from), 0), 1);
  return firings.map(({ firedAt, resolvedAt }) => ({
    from: share(Date.parse(firedAt)),
    to: share(resolvedAt ? Date.parse(resolvedAt) : to),
  }));
}
