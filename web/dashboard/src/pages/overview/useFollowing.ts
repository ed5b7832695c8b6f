import { useEffect, useRef } from 'react';
import type { CountsFragment } from '../../gql/graphql';

/** Totals may be told four times a second: what else is shown of a time follows them at this distance. */
const FOLLOWED_AFTER = 5_000;

/** Asks again, somewhat later, while other totals are told than were answered; what has failed is asked again, too. */
export function useFollowing(
  answered: CountsFragment | undefined,
  told: CountsFragment | undefined,
  error: object | undefined,
  again: () => void,
) {
  const waiting = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const ask = useRef(again);
  ask.current = again;
  // biome-ignore lint/correctness/useExhaustiveDependencies: each failure is an error of its own
  useEffect(() => {
    if (!answered || !told || areSame(answered, told)) {
      clearTimeout(waiting.current);
      waiting.current = undefined;
      return;
    }
    waiting.current ??= setTimeout(() => {
      waiting.current = undefined;
      ask.current();
    }, FOLLOWED_AFTER);
  }, [answered, told, error]);
  useEffect(
    () => () => {
      clearTimeout(waiting.current);
      // Who is hidden and shown again follows again.
      waiting.current = undefined;
    },
    [],
  );
}

const COUNTED = ['total', 'negative', 'neutral', 'positive'] as const;

const areSame = (one: CountsFragment, other: CountsFragment) => COUNTED.every((count) => one[count] === other[count]);
