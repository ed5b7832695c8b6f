import { expect, test } from 'vitest';
import { recent } from './recent';

test('what came within a minute is there, in order', () => {
  let now = 0;
  const kept = recent<string>(() => now);
  kept.keep(['a']);
  now = 50_000;
  kept.keep(['b', 'c']);

  expect(kept.all()).toEqual(['a', 'b', 'c']);
  now = 60_001;
  expect(kept.all()).toEqual(['b', 'c']);
});

test('no more is kept than a screen may need', () => {
  const kept = recent<number>(() => 0);
  kept.keep(Array.from({ length: 600 }, (_, number) => number));

  expect(kept.all()).toHaveLength(500);
  expect(kept.all()[0]).toBe(100);
});
