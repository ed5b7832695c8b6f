import type { Exchange } from '@urql/core';
import { map, pipe, tap } from 'wonka';

/** What was answered stays on screen when it is asked for anew and that fails: an error alone would take its place. */
export const keptExchange: Exchange =
  ({ forward }) =>
  (operations) => {
    const answers = new Map<number, unknown>();
    const leaving = new Map<number, ReturnType<typeof setTimeout>>();
    const forget = (key: number) => {
      answers.delete(key);
      leaving.delete(key);
    };
    return pipe(
      operations,
      tap(({ kind, key }) => {
        clearTimeout(leaving.get(key));
        // Who asks anew leaves, and is back at once.
        if (kind === 'teardown') leaving.set(key, setTimeout(forget, 0, key));
      }),
      forward,
      map((result) => {
        const { operation, data, error } = result;
        if (operation.kind !== 'query') return result;
        if (data) answers.set(operation.key, data);
        return error && !data ? { ...result, data: answers.get(operation.key) } : result;
      }),
    );
  };
