import { expect, test } from 'vitest';
import { Values } from '../../ui/Form';
import { wanted } from './wanted';

test('a day is all of it, from midnight here to the next', () => {
  const data = new FormData();
  data.append('from', '2026-11-01');
  data.append('to', '2026-11-01');

  expect(wanted(new Values(data))).toEqual({
    action: null,
    from: new Date(2026, 10, 1).toISOString(),
    to: new Date(2026, 10, 2).toISOString(),
  });
});
