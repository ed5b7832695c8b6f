import type { Client } from '@urql/core';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Connection, Socket } from '../graph/socket';
import { Feed } from './feed';

type Sink = Parameters<Socket['subscribe']>[1];

/** A connection that does as it is told, and what was subscribed to on it. */
function connection(begun: Connection = 'connecting') {
  let state = begun;
  const watchers = new Set<() => void>();
  const asked: { after: unknown; sink: Sink }[] = [];
  return {
    asked,
    become(next: Connection) {
      state = next;
      for (const watcher of watchers) watcher();
    },
    socket: {
      subscribe(payload, sink) {
        asked.push({ after: payload.variables?.after, sink: sink as Sink });
        return () => {};
      },
      watch(onChange) {
        watchers.add(onChange);
        return () => watchers.delete(onChange);
      },
      state: () => state,
      dispose: () => {},
    } satisfies Socket,
  };
}

/** A client that is answered these places, one after the other, and the last ever after; undefined where nobody answers. */
function answering(...places: (string | undefined)[]) {
  const next = () => (places.length > 1 ? places.shift() : places[0]);
  return {
    query: () => ({
      toPromise: async () => {
        const feedbackCursor = next();
        return { data: feedbackCursor && { workspace: { id: 'w', feedbackCursor } } };
      },
    }),
  } as unknown as Client;
}

const WORKSPACE = { id: 'w', slug: 'demo' };
const passed = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('what the server has ended goes on where it was, though the connection was lost meanwhile', async () => {
  const { socket, asked, become } = connection();
  const feed = new Feed(answering('first'), socket, WORKSPACE);
  await passed(0);
  become('open');
  asked[0]?.sink.error([]);
  become('offline');
  become('open');
  await passed(60_000);

  expect(asked.map(({ after }) => after)).toEqual(['first', 'first']);
  expect(feed.light).toBe('live');
  feed.close();
});

test('who was not told where to begin asks again, though others have opened the connection meanwhile', async () => {
  const { socket, asked, become } = connection();
  const feed = new Feed(answering(undefined, 'first'), socket, WORKSPACE);
  await passed(0);
  become('open');
  await passed(60_000);

  expect(asked.map(({ after }) => after)).toEqual(['first']);
  expect(feed.light).toBe('live');
  feed.close();
});

test('what goes on after it was ended is live again on the same connection', async () => {
  const { socket, asked, become } = connection();
  const feed = new Feed(answering('first'), socket, WORKSPACE);
  await passed(0);
  become('open');
  await passed(0);
  asked[0]?.sink.complete();
  const ended = feed.light;
  await passed(60_000);

  expect([ended, feed.light]).toEqual(['offline', 'live']);
  feed.close();
});

test('what begins on an open connection is live', async () => {
  const { socket } = connection('open');
  const feed = new Feed(answering('first'), socket, WORKSPACE);
  await passed(0);

  expect(feed.light).toBe('live');
  feed.close();
});

test('a gap that was told before the connection was lost makes nobody live', async () => {
  const { socket, asked, become } = connection();
  const feed = new Feed(answering('first'), socket, WORKSPACE);
  await passed(0);
  become('open');
  asked[0]?.sink.next({ data: { feedbackEvents: { __typename: 'StreamGap', cursor: 'second' } } });
  become('offline');
  await passed(60_000);

  expect(feed.light).toBe('offline');
  feed.close();
});
