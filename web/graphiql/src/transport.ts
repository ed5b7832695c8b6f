// How an operation reaches the server: HTTP, and a WebSocket for subscriptions.
import type { FetcherParams, Observable } from '@graphiql/toolkit';
import { type ExecutionResult } from 'graphql';
import { createClient } from 'graphql-ws';

const ENDPOINT = new URL('/graphql', window.location.href);

export type Headers = Record<string, string>;

/** A failure to reach the server, as GraphiQL is to print it: without a stack. */
class Unreachable extends Error {
  override stack = undefined;
}

/** What speaks for who has typed no header: never written to the browser's store. */
let held: string | undefined;

export function hold(authorization: string | undefined): void {
  held = authorization;
}

export function authorizationOf(headers: Headers): string | undefined {
  const entry = Object.entries(headers).find(([name]) => name.toLowerCase() === 'authorization');
  return entry?.[1] || held;
}

export async function post(operation: FetcherParams, headers: Headers = {}): Promise<ExecutionResult> {
  const response = await fetch(ENDPOINT, {
    method: 'POST',
    credentials: 'same-origin',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json, application/json',
      ...(held && { authorization: held }),
      ...headers,
    },
    body: JSON.stringify(operation),
  }).catch((error: Error) => {
    throw new Unreachable(error.message);
  });
  const text = await response.text();
  try {
    return JSON.parse(text) as ExecutionResult;
  } catch {
    throw new Unreachable(`HTTP ${response.status} ${response.statusText}: ${text.slice(0, 1000)}`);
  }
}

/** Each subscription has a socket of its own, so that it always speaks for the headers of its moment. */
export function subscribe(operation: FetcherParams, authorization?: string): Observable<ExecutionResult> {
  return {
    subscribe(sink: unknown) {
      const { next, error, complete } = sink as {
        next: (result: ExecutionResult) => void;
        error: (error: unknown) => void;
        complete: () => void;
      };
      const url = new URL(ENDPOINT);
      url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
      const client = createClient({
        url: url.href,
        connectionParams: authorization ? { authorization } : {},
        retryAttempts: 0, // Connecting anew in silence would hide what was missed in between.
      });
      const unsubscribe = client.subscribe(operation, {
        next: (result) => next(result as ExecutionResult),
        error: (reason) => error(readable(reason)),
        complete,
      });
      return { unsubscribe };
    },
  };
}

/** What went wrong, as something that prints: a close event says nothing when made into JSON. */
function readable(reason: unknown): unknown {
  if (reason instanceof CloseEvent) {
    return new Unreachable(`The server closed the WebSocket: ${reason.code} ${reason.reason}`.trimEnd());
  }
  if (reason instanceof Event) {
    return new Unreachable('The WebSocket could not be opened.');
  }
  return reason;
}
