import { useCallback, useEffect, useRef } from 'react';
import type { FeedbackChange } from '../live/feed';
import { useFeedbackEvents } from './workspace';

const NOTHING = () => {};

/** Counts on the icon of who has installed Earful what came while nobody was looking. */
export function useBadge() {
  const unread = useRef(0);
  const onChanges = useCallback((changes: readonly FeedbackChange[]) => {
    if (document.visibilityState === 'visible') return;
    unread.current += changes.filter(({ type }) => type === 'ADDED').length;
    if (unread.current) void navigator.setAppBadge?.(unread.current).catch(NOTHING);
  }, []);
  useFeedbackEvents(onChanges, NOTHING);
  useEffect(() => {
    const look = () => {
      if (document.visibilityState !== 'visible') return;
      unread.current = 0;
      void navigator.clearAppBadge?.().catch(NOTHING);
    };
    look();
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, []);
}
