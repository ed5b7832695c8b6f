import { createClient, type Client as GraphQLWs } from 'graphql-ws';
import { resuming } from '../live/resuming';
import { renew } from './renewal';

/** What is known of the connection: `offline` from a lost connection until the next is acknowledged. */
export type Connection = 'connecting' | 'open' | 'offline';

/** The one connection of a sign-in for everything live; it opens with the first subscription and comes back for ever. */
export interface Socket {
  subscribe: GraphQLWs['subscribe'];
  /** Calls back whenever the state changes. */
  watch(onChange: () => void): () => void;
  state(): Connection;
  dispose(): void;
}

const KEEPALIVE = 15_000;
const PATIENCE = 10_000;
/** After sleep or a lost network the answer to a question shall not take that long. */
const IMPATIENCE = 4_000;
/** A server that starts anew is away for some seconds: nobody shall wait for much longer than that. */
const LONGEST_PAUSE = 5_000;
const FORBIDDEN = 4403;

export function createSocket(onEnd: () => void): Socket {
  const watchers = new Set<() => void>();
  let state: Connection = 'connecting';
  let silence: ReturnType<typeof setTimeout> | undefined;
  let open: WebSocket | undefined;
  let isRefused = false;
  let hurry = () => {};

  function become(next: Connection) {
    if (state !== next) {
      state = next;
      for (const watcher of watchers) watcher();
    }
  }

  const client = createClient({
    url: `${location.origin.replace(/^http/, 'ws')}/graphql`,
    keepAlive: KEEPALIVE,
    // A page that goes to another keeps the connection.
    lazyCloseTimeout: 5_000,
    // The client insists on a text: where an id goes in its place it is empty, and left out.
    jsonMessageReplacer: (key, value: unknown) => (key === 'query' && value === '' ? undefined : value),
    shouldRetry: () => true,
    retryAttempts: Number.POSITIVE_INFINITY,
    async retryWait(attempt) {
      await new Promise<void>((done) => {
        hurry = done;
        setTimeout(done, Math.min(250 * 2 ** attempt, LONGEST_PAUSE) * (0.5 + Math.random()));
      });
      // The handshake bears the cookie, so it has to be a good one before.
      if (isRefused) {
        const renewal = await renew();
        isRefused = renewal === 'unreachable';
        if (renewal === 'refused') onEnd();
      }
    },
    on: {
      connected(socket) {
        open = socket as WebSocket;
        become('open');
      },
      ping(received) {
        if (!received) expect(PATIENCE);
      },
      pong: () => clearTimeout(silence),
      closed(event) {
        clearTimeout(silence);
        open = undefined;
        isRefused ||= (event as CloseEvent).code === FORBIDDEN;
        // Who has nothing to listen to closes in peace.
        become((event as CloseEvent).wasClean && (event as CloseEvent).code === 1000 ? 'connecting' : 'offline');
      },
    },
  });

  const resumed = resuming(client);

  function expect(patience: number) {
    clearTimeout(silence);
    silence = setTimeout(() => client.terminate(), patience);
  }

  /** A machine that was asleep does not know that its connection is gone: ask, or try at once. */
  function wake() {
    if (document.visibilityState === 'hidden') return;
    if (open?.readyState === WebSocket.OPEN) {
      open.send('{"type":"ping"}');
      expect(IMPATIENCE);
    } else {
      hurry();
    }
  }
  window.addEventListener('online', wake);
  document.addEventListener('visibilitychange', wake);

  return {
    subscribe: (payload, sink) => resumed.subscribe({ ...payload, query: payload.query ?? '' }, sink),
    watch(onChange) {
      watchers.add(onChange);
      return () => watchers.delete(onChange);
    },
    state: () => state,
    dispose() {
      window.removeEventListener('online', wake);
      document.removeEventListener('visibilitychange', wake);
      // A connection that was just being lost says so once more.
      Promise.resolve(client.dispose()).catch(() => {});
    },
  };
}
