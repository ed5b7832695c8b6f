import { expect, test } from 'vitest';
import { bands, bars, intervalOf, range } from './chart';

const HOUR = 3_600_000;
const at = (hour: number) => new Date(Date.UTC(2026, 10, 23, hour)).toISOString();

const counts = { total: 10, negative: 3, neutral: 1, positive: 4, unscored: 2, averageScore: 0.1, averageRating: null };
const buckets = [
  { start: at(0), counts: { __typename: 'SentimentCounts' as const, ...counts } },
  { start: at(1), counts: { __typename: 'SentimentCounts' as const, ...counts, total: 2, unscored: 2 } },
].map((each) => ({ __typename: 'StatsBucket' as const, ...each }));

test('a bar is as long as its stretch of time, and the last one ends with it', () => {
  expect(bars(buckets, at(2), 'COUNT', []).map(({ start, end }) => end - start)).toEqual([HOUR, HOUR]);
});

test('a share is of what is scored, and of nothing there is none', () => {
  expect(bars(buckets, at(2), 'SHARE', ['NEGATIVE', 'NEUTRAL']).map(({ value }) => value)).toEqual([50, null]);
});

test('a mean that is missing is drawn as nothing', () => {
  expect(bars(buckets, at(2), 'RATING', []).map(({ value }) => value)).toEqual([null, null]);
  expect(bars(buckets, at(2), 'SCORE', [])[0]?.value).toBe(0.1);
});

test('zero and the threshold are drawn, too', () => {
  const drawn = bars(buckets, at(2), 'SCORE', []);

  expect(range(drawn, -0.5)).toEqual([-0.5, 0.1]);
  expect(range(drawn, 40)).toEqual([0, 40]);
});

test('what still fires goes on to the end, and what began before is drawn from the beginning', () => {
  const firings = [
    { firedAt: at(0), resolvedAt: at(3) },
    { firedAt: at(4), resolvedAt: null },
  ];

  expect(bands(firings, Date.parse(at(1)), Date.parse(at(5)))).toEqual([
    { from: 0, to: 0.5 },
    { from: 0.75, to: 1 },
  ]);
});

test('a week is drawn by hours, a month by days', () => {
  expect(intervalOf('2026-11-16T00:00:00Z', '2026-11-23T00:00:00Z')).toBe('HOUR');
  expect(intervalOf('2026-10-24T00:00:00Z', '2026-11-23T00:00:00Z')).toBe('DAY');
});
