import type { Client } from 'graphql-ws';
import { expect, test } from 'vitest';
import { resuming } from './resuming';

test('the variables name the last cursor whenever they are written', () => {
  type Subscribe = Parameters<Client['subscribe']>;
  let payload: Subscribe[0] | undefined;
  let sink: Subscribe[1] | undefined;
  const client = {
    subscribe(...[given, into]: Subscribe) {
      [payload, sink] = [given, into];
      return () => {};
    },
  } as unknown as Client;
  const seen: unknown[] = [];

  resuming(client).subscribe(
    { query: 'subscription', variables: { workspaceId: 'w', after: 'first' } },
    { next: ({ data }) => seen.push(data), error: () => {}, complete: () => {} },
  );
  const before = JSON.stringify(payload?.variables);
  sink?.next({ data: { feedbackEvents: { cursor: 'second' } } });

  expect(before).toBe('{"workspaceId":"w","after":"first"}');
  expect(JSON.stringify(payload?.variables)).toBe('{"workspaceId":"w","after":"second"}');
  expect(seen).toEqual([{ feedbackEvents: { cursor: 'second' } }]);
});
