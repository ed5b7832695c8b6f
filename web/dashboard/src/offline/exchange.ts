import type { CombinedError, Exchange, OperationResult } from '@urql/core';
import { fromPromise, fromValue, mergeMap, pipe } from 'wonka';
import { nameOf } from '../graph/wire';
import { seen } from './seen';

/** Keeps what is answered, and answers with it what the server cannot be asked any more. */
export const seenExchange: Exchange =
  ({ forward }) =>
  (operations) => {
    const asked = seen.epoch();
    // Who has been answered has something to show, and is told that the next time failed.
    const answered = new Set<number>();
    const last = async (result: OperationResult, name: string | undefined): Promise<OperationResult> => {
      const data = await seen.recall(asked, name, result.operation.variables ?? {});
      const { error: _, ...rest } = result;
      return data ? { ...rest, data } : result;
    };
    return pipe(
      forward(operations),
      mergeMap((result) => {
        const { operation, data, error } = result;
        if (operation.kind !== 'query') return fromValue(result);
        const name = nameOf(operation.query);
        if (data && !error) {
          answered.add(operation.key);
          void seen.keep(asked, name, operation.variables ?? {}, data);
        } else if (isUnreachable(error) && !answered.has(operation.key)) {
          return fromPromise(last(result, name));
        }
        return fromValue(result);
      }),
    );
  };

/** A gateway without a server behind it answers, too. */
function isUnreachable(error: CombinedError | undefined): boolean {
  const status = (error?.response as Response | undefined)?.status;
  return error?.networkError !== undefined && (status === undefined || status >= 500);
}
