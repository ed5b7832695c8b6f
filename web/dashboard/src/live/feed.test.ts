import { Client, type Exchange, makeResult } from '@urql/core';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { filter, map, pipe } from 'wonka';
import type { Connection, Socket } from '../graph/socket';
import { Feed, type FeedbackChange, type Listener } from './feed';
import { placesExchange } from './places';

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

/** A list is answered with this place beside it. */
async function listed(place: string) {
  const workspace = { __typename: 'Workspace', id: 'w', feedbackCursor: place, feedback: { nodes: [] } };
  const server: Exchange = () => (operations) =>
    pipe(
      operations,
      filter(({ kind }) => kind === 'query'),
      map((operation) => makeResult(operation, { data: { workspace } })),
    );
  const client = new Client({ url: '/graphql', preferGetMethod: false, exchanges: [placesExchange, server] });
  await client.query('{ workspace { id feedbackCursor feedback { nodes { id } } } }', {}).toPromise();
}

const event = (cursor: string) => ({
  data: { feedbackEvents: { __typename: 'FeedbackEvent', cursor, type: 'ADDED', feedback: { id: cursor } } },
});

/** Listens, and keeps what it is told. */
function listener() {
  const told: string[] = [];
  const onGap = vi.fn();
  const onChanges = (changes: readonly FeedbackChange[]) => told.push(...changes.map(({ cursor }) => cursor));
  return { told, onGap, onChanges } satisfies Listener & { told: string[] };
}

const WORKSPACE = { id: 'w', slug: 'demo' };
const passed = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

let last: Feed | undefined;

/** Begins to listen, where this client is answered. */
async function begun(client: Client, state: Connection = 'open') {
  const connected = connection(state);
  const heard = listener();
  const feed = new Feed(client, connected.socket, WORKSPACE);
  last = feed;
  feed.listen(heard);
  await passed(0);
  return { ...connected, feed, heard };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  last?.close();
  vi.useRealTimers();
});

test('what the server has ended goes on where it was, though the connection was lost meanwhile', async () => {
  const { asked, become, feed } = await begun(answering('first'), 'connecting');
  become('open');
  asked[0]?.sink.error([]);
  become('offline');
  become('open');
  await passed(60_000);

  expect(asked.map(({ after }) => after)).toEqual(['first', 'first']);
  expect(feed.light).toBe('live');
});

test('who was not told where to begin asks again, though others have opened the connection meanwhile', async () => {
  const { asked, become, feed } = await begun(answering(undefined, 'first'), 'connecting');
  become('open');
  await passed(60_000);

  expect(asked.map(({ after }) => after)).toEqual(['first']);
  expect(feed.light).toBe('live');
});

test('what goes on after it was ended is live again on the same connection', async () => {
  const { asked, become, feed } = await begun(answering('first'), 'connecting');
  become('open');
  await passed(0);
  asked[0]?.sink.complete();
  const ended = feed.light;
  await passed(60_000);

  expect([ended, feed.light]).toEqual(['offline', 'live']);
});

test('what begins on an open connection is live', async () => {
  const { feed } = await begun(answering('first'));

  expect(feed.light).toBe('live');
});

test('a gap that was told before the connection was lost makes nobody live', async () => {
  const { asked, become, feed } = await begun(answering('first'), 'connecting');
  become('open');
  asked[0]?.sink.next({ data: { feedbackEvents: { __typename: 'StreamGap', cursor: 'second' } } });
  become('offline');
  await passed(60_000);

  expect(feed.light).toBe('offline');
});

test('the feed begins where the list is that was answered first', async () => {
  const { socket, asked } = connection('open');
  last = new Feed(answering('second'), socket, WORKSPACE);
  await listed('first');
  await passed(0);

  expect(asked.map(({ after }) => after)).toEqual(['first']);
});

test('a list of before the feed began is asked for again', async () => {
  const { heard } = await begun(answering('second'));
  await listed('first');
  await passed(10_000);

  expect(heard.onGap).toHaveBeenCalledTimes(1);
});

test('a list is not asked for again where the feed began, or when the feed passes it', async () => {
  const { asked, heard } = await begun(answering('first'));
  await listed('first');
  await listed('second');
  asked[0]?.sink.next(event('second'));
  await passed(10_000);

  expect([heard.told, heard.onGap.mock.calls.length]).toEqual([['second'], 0]);
});

test('a list that was asked for long after the feed began is followed anyway', async () => {
  const { heard } = await begun(answering('first'));
  await passed(60_000);
  await listed('second');
  await passed(10_000);

  expect(heard.onGap).not.toHaveBeenCalled();
});

test('who is late is told what came lately, and nobody else is', async () => {
  const { asked, feed } = await begun(answering('first'));
  asked[0]?.sink.next(event('second'));
  await passed(1_000);
  const [late, early] = [listener(), listener()];
  feed.listen(late, true);
  feed.listen(early);

  expect([late.told, early.told]).toEqual([['second'], []]);
});

test('who read something before the feed began is told when it has begun, once', async () => {
  const { socket } = connection('open');
  const feed = new Feed(answering('first'), socket, WORKSPACE);
  last = feed;
  const [before, after] = [vi.fn(), vi.fn()];
  feed.begins(before);
  await passed(60_000);
  feed.begins(after);

  expect([before, after].map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
});
