import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { authExchange } from '@urql/exchange-auth';
import { placesExchange } from '../live/places';
import { seenExchange } from '../offline/exchange';
import { cached } from './cache';
import { fetched } from './early';
import { keptExchange } from './kept';
import { lasting } from './lasting';
import { renew } from './renewal';
import type { Socket } from './socket';
import { idsExchange } from './wire';

/** A client for one sign-in: its cache goes with it. `onEnd` is called when the session has ended. */
export function createClient(socket: Socket, onEnd: () => void): Client {
  const live = lasting(socket);
  return new Client({
    url: '/graphql',
    fetch: fetched,
    preferGetMethod: false,
    fetchOptions: { credentials: 'same-origin', headers: { accept: 'application/graphql-response+json' } },
    exchanges: [
      keptExchange,
      cached(),
      seenExchange,
      placesExchange,
      authExchange(async () => ({
        // The token is in a cookie that no script sees.
        addAuthToOperation: (operation) => operation,
        didAuthError: (error) => error.graphQLErrors.some(({ extensions }) => extensions.code === 'UNAUTHENTICATED'),
        refreshAuth: async () => {
          if ((await renew()) === 'refused') {
            onEnd();
          }
        },
      })),
      idsExchange,
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: (body) => ({
          subscribe: (sink) => ({
            unsubscribe: live.subscribe(
              body as Parameters<Socket['subscribe']>[0],
              sink as Parameters<Socket['subscribe']>[1],
            ),
          }),
        }),
      }),
    ],
  });
}
