import type { Client } from 'graphql-ws';

/** The same client; its subscriptions go on behind the last event that was dealt with. */
export function resuming(client: Client): Pick<Client, 'subscribe'> {
  return {
    subscribe(payload, sink) {
      let after = payload.variables?.after;
      const variables = {
        ...payload.variables,
        // Read at each reconnect, since the client sends its variables anew.
        get after() {
          return after;
        },
      };
      return client.subscribe<Record<string, unknown>, unknown>(
        { ...payload, variables },
        {
          next(result) {
            sink.next(result as Parameters<typeof sink.next>[0]);
            const [item] = Object.values(result.data ?? {}) as ({ cursor?: string } | null)[];
            after = item?.cursor ?? after;
          },
          error: (error) => sink.error(error),
          complete: () => sink.complete(),
        },
      );
    },
  };
}
