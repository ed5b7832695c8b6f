import { expect, test } from 'vitest';
import { batching } from './batch';

test('what comes within a frame is delivered at once, in order', () => {
  const frames: (() => void)[] = [];
  const delivered: number[][] = [];
  const take = batching<number>(
    (items) => delivered.push(items),
    (work) => frames.push(work),
  );

  take(1);
  take(2);
  frames.shift()?.();
  take(3);
  frames.shift()?.();

  expect(delivered).toEqual([[1, 2], [3]]);
  expect(frames).toEqual([]);
});
