import { renderHook } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { CountsFragment } from '../../gql/graphql';
import { useFollowing } from './useFollowing';

const counts = (total: number, positive = 0): CountsFragment => ({
  __typename: 'SentimentCounts',
  total,
  negative: 0,
  neutral: 0,
  positive,
  unscored: total - positive,
  averageScore: null,
  averageRating: null,
});

interface Seen {
  answered?: CountsFragment;
  told?: CountsFragment;
  error?: Error;
}

function following(seen: Seen) {
  const again = vi.fn();
  const { rerender } = renderHook(({ answered, told, error }: Seen) => useFollowing(answered, told, error, again), {
    initialProps: seen,
  });
  return { again, become: rerender };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('what fell between the answer and the first that is told is asked for', () => {
  const { again } = following({ answered: counts(1), told: counts(2) });
  vi.runAllTimers();

  expect(again).toHaveBeenCalledTimes(1);
});

test('what is told as it was answered is not asked for again', () => {
  const { again, become } = following({ told: counts(2) });
  become({ answered: counts(1), told: counts(2) });
  become({ answered: counts(2), told: counts(2) });
  vi.runAllTimers();

  expect(again).not.toHaveBeenCalled();
});

test('two hundred totals are followed by one question', () => {
  const { again, become } = following({ answered: counts(0), told: counts(0) });
  for (let total = 1; total <= 200; total += 1) become({ answered: counts(0), told: counts(total) });
  vi.runAllTimers();

  expect(again).toHaveBeenCalledTimes(1);
});

test('scores that come later are followed, too', () => {
  const { again } = following({ answered: counts(2, 0), told: counts(2, 1) });
  vi.runAllTimers();

  expect(again).toHaveBeenCalledTimes(1);
});

test('a question that failed is asked again', () => {
  const seen = { answered: counts(1), told: counts(2) };
  const { again, become } = following(seen);
  vi.runAllTimers();
  become({ ...seen, error: new Error('away') });
  vi.runAllTimers();

  expect(again).toHaveBeenCalledTimes(2);
});
