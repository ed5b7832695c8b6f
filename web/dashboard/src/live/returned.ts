import type { Socket } from '../graph/socket';

/** Calls back whenever a connection that was lost is there again: what happened meanwhile was told to nobody. */
export function returned(socket: Pick<Socket, 'watch' | 'state'>, onReturn: () => void): () => void {
  let wasLost = socket.state() === 'offline';
  return socket.watch(() => {
    const state = socket.state();
    if (state === 'offline') {
      wasLost = true;
    } else if (state === 'open' && wasLost) {
      wasLost = false;
      onReturn();
    }
  });
}
