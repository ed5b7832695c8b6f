import type { Socket } from './socket';

/** What the server answers when it could not go on, and may be able to later; what else it answers is final. */
const PASSING = ['INTERNAL', 'TIMEOUT', 'RATE_LIMITED'];
const RETRY = 2_000;

/** Subscribes again where a subscription ended in an error that may pass: without it nothing would be heard ever after. */
export function lasting(socket: Pick<Socket, 'subscribe'>): Pick<Socket, 'subscribe'> {
  return {
    subscribe(payload, sink) {
      let stop = () => {};
      let waiting: ReturnType<typeof setTimeout> | undefined;
      const begin = () => {
        stop = socket.subscribe(payload, {
          next: (result) => sink.next(result as Parameters<typeof sink.next>[0]),
          error(error) {
            if (isPassing(error)) waiting = setTimeout(begin, RETRY);
            else sink.error(error);
          },
          complete: () => sink.complete(),
        });
      };
      begin();
      return () => {
        clearTimeout(waiting);
        stop();
      };
    },
  };
}

/** A list is the server's own; everything else is about the connection. */
function isPassing(error: unknown): boolean {
  if (!Array.isArray(error)) return true;
  return error.some((each: { extensions?: { code?: string } }) => PASSING.includes(each.extensions?.code ?? ''));
}
