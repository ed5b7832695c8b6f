import { expect, test } from 'vitest';
import { iso, part, read } from './period';

const NOW = new Date(2026, 10, 23, 15, 30);
const shown = (search: string) => {
  const { before, from, to, days, interval, isNow } = read(search, NOW);
  return [iso(before), iso(from), iso(to), days, interval, isNow];
};

test('without a word it is the last thirty days, today included', () => {
  expect(shown('')).toEqual(['2026-09-25', '2026-10-25', '2026-11-24', 30, 'DAY', true]);
});

test('what is compared with is as long, and ends where it begins', () => {
  expect(shown('from=2026-11-02&to=2026-11-08')).toEqual(['2026-10-26', '2026-11-02', '2026-11-09', 7, 'DAY', false]);
});

test('what is drawn is neither too much nor too little', () => {
  const intervals = ['days=1', 'days=90', 'days=365', 'from=2020-01-01&to=2026-01-01'].map((each) => shown(each)[4]);

  expect(intervals).toEqual(['HOUR', 'DAY', 'WEEK', 'MONTH']);
});

test.each(['days=0', 'days=x', 'from=2026-02-30&to=2026-03-01', 'from=2026-03-02&to=2026-03-01', 'from=2026-03-01'])(
  '%s is the usual',
  (search) => {
    expect(shown(search)).toEqual(shown(''));
  },
);

test('the way from one bar to another is the same in both directions, and ends with its last day', () => {
  const week = read('from=2026-11-02&to=2026-11-08', NOW);
  const starts = [2, 3, 4, 5, 6, 7, 8].map((day) => new Date(2026, 10, day).toISOString());

  expect(part(week, starts, 1, 3)).toBe('from=2026-11-03&to=2026-11-05');
  expect(part(week, starts, 6, 4)).toBe('from=2026-11-06&to=2026-11-08');
});
