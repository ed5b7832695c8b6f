import { useSyncExternalStore } from 'react';
import { seen } from './seen';

/** When what is shown was seen last; undefined while it comes from the server. Until then nothing can be changed. */
export const useSeenSince = () => useSyncExternalStore(seen.watch, seen.since);
