import { expect, test } from 'vitest';
import { batching } from './batch';

function clock() {
  let time = 1_000;
  let timers: { work: () => void; at: number }[] = [];
  const later = (work: () => void, milliseconds: number) => void timers.push({ work, at: time + milliseconds });
  const pass = (milliseconds: number) => {
    time += milliseconds;
    const due = timers.filter(({ at }) => at <= time);
    timers = timers.filter(({ at }) => at > time);
    for (const { work } of due) work();
  };
  // A frame is 16 ms away.
  return { times: { schedule: (work: () => void) => later(work, 16), later, now: () => time }, pass };
}

test('what comes within a frame is delivered together, in order', () => {
  const { times, pass } = clock();
  const delivered: number[][] = [];
  const take = batching<number>((items) => delivered.push(items), times);

  take(1);
  take(2);
  pass(16);
  pass(200);
  take(3);
  pass(16);

  expect(delivered).toEqual([[1, 2], [3]]);
});

test('what comes all the time is delivered ten times a second at most, and nothing stays', () => {
  const { times, pass } = clock();
  const delivered: number[][] = [];
  const take = batching<number>((items) => delivered.push(items), times);

  for (let number = 0; number < 250; number += 1) {
    take(number);
    pass(4);
  }
  pass(200);
  pass(200);

  expect(delivered.length).toBeGreaterThanOrEqual(8);
  expect(delivered.length).toBeLessThanOrEqual(11);
  expect(delivered.flat()).toEqual(Array.from({ length: 250 }, (_, number) => number));
});
