import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { lasting } from './lasting';
import type { Socket } from './socket';

type Sink = Parameters<Socket['subscribe']>[1];

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Subscribes, and tells what is heard and how often it was asked for. */
function subscribed() {
  const asked: Sink[] = [];
  const heard: unknown[] = [];
  const socket = lasting({
    subscribe(_, sink) {
      asked.push(sink as Sink);
      return () => heard.push('left');
    },
  });
  const leave = socket.subscribe(
    { query: 'subscription' },
    {
      next: ({ data }) => heard.push(data),
      error: (error) => heard.push(error),
      complete: () => heard.push('over'),
    },
  );
  return { asked, heard, leave };
}

const failed = (code: string) => [{ message: 'No', extensions: { code } }] as unknown as Parameters<Sink['error']>[0];

test.each([
  ['a server that could not go on', failed('INTERNAL')],
  ['a server that was asked too much', failed('RATE_LIMITED')],
  ['a connection that is not taken up again', { code: 1011, reason: 'Something went wrong on our side' }],
])('after %s it is subscribed again', async (_, error) => {
  const { asked, heard } = subscribed();
  asked[0]?.error(error);
  await vi.runAllTimersAsync();
  asked[1]?.next({ data: { total: 7 } });

  expect(heard).toEqual([{ total: 7 }]);
  expect(asked).toHaveLength(2);
});

test('what is refused or at its end is so for good', async () => {
  const { asked, heard } = subscribed();
  asked[0]?.error(failed('FORBIDDEN'));
  asked[0]?.complete();
  await vi.runAllTimersAsync();

  expect(heard).toEqual([failed('FORBIDDEN'), 'over']);
  expect(asked).toHaveLength(1);
});

test('who has left meanwhile is not brought back', async () => {
  const { asked, leave } = subscribed();
  asked[0]?.error(failed('TIMEOUT'));
  leave();
  await vi.runAllTimersAsync();

  expect(asked).toHaveLength(1);
});
