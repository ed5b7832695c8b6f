import type { Exchange } from '@urql/core';
import { pipe, tap } from 'wonka';

type Told = (workspace: string, place: string) => void;

const watchers = new Set<Told>();

/** Hears of the places in the feed that lists are answered with: what happened later than that is not in them. */
export function onPlace(told: Told): () => void {
  watchers.add(told);
  return () => watchers.delete(told);
}

/** Tells them as they come, since in the cache each takes the place of the one before. */
export const placesExchange: Exchange =
  ({ forward }) =>
  (operations) =>
    pipe(
      forward(operations),
      tap(({ data }) => {
        const { id, feedback, feedbackCursor } = data?.workspace ?? {};
        if (feedback && feedbackCursor) for (const told of watchers) told(id, feedbackCursor);
      }),
    );
