import { expect, test } from 'vitest';
import type { Connection } from '../graph/socket';
import { returned } from './returned';

test('who was cut off is told when the connection is back, and nobody when it opens first', () => {
  let state: Connection = 'connecting';
  let tell = () => {};
  let returns = 0;
  const socket = {
    state: () => state,
    watch(onChange: () => void) {
      tell = onChange;
      return () => {};
    },
  };
  returned(socket, () => {
    returns += 1;
  });
  const seen = (['open', 'offline', 'connecting', 'open', 'connecting', 'open'] as const).map((next) => {
    state = next;
    tell();
    return returns;
  });

  expect(seen).toEqual([0, 0, 0, 1, 1, 1]);
});
