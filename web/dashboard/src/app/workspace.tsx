import { createContext, type ReactNode, use, useCallback, useEffect, useState, useSyncExternalStore } from 'react';
import { useClient } from 'urql';
import { Feed, type FeedbackChange, type Light } from '../live/feed';
import { useSeenSince } from '../offline/useSeen';
import { useBadge } from './badge';
import { type MyWorkspace, useSession } from './session';

const Context = createContext<{ workspace: MyWorkspace; feed: Feed | null } | null>(null);

const LAST = 'earful-workspace';

/** The slug of the workspace that was looked at last. */
export const lastWorkspace = () => localStorage.getItem(LAST);

/** Puts a workspace and what happens in it around its pages, so that going from one to the next loses nothing. */
export function WorkspaceProvider({ workspace, children }: { workspace: MyWorkspace; children: ReactNode }) {
  const client = useClient();
  const { socket } = useSession();
  const [feed, setFeed] = useState<Feed | null>(null);
  const { id, slug } = workspace;
  useEffect(() => {
    localStorage.setItem(LAST, slug);
    const opened = new Feed(client, socket, { id, slug });
    setFeed(opened);
    return () => {
      setFeed(null);
      opened.close();
    };
  }, [client, socket, id, slug]);
  return (
    <Context value={{ workspace, feed }}>
      <Badge />
      {children}
    </Context>
  );
}

function Badge() {
  useBadge();
  return null;
}

function useContext() {
  const context = use(Context);
  if (!context) throw new Error('There is no workspace around this');
  return context;
}

/** The workspace whose page this is. */
export function useWorkspace(): MyWorkspace {
  return useContext().workspace;
}

/** Roles outrank each other in this order. */
const ROLES = ['VIEWER', 'ANALYST', 'ADMIN', 'OWNER'] as const;

/** Whether the reader's role is this one or a higher, and there is a server: only to hide what would be refused. */
export function useMay(role: (typeof ROLES)[number]): boolean {
  const isOffline = useSeenSince() !== undefined;
  return isAtLeast(useWorkspace().viewerRole, role) && !isOffline;
}

export function isAtLeast(role: (typeof ROLES)[number], least: (typeof ROLES)[number]): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(least);
}

const NEVER = () => () => {};

/** Whether what is shown is what there is; undefined where there is no workspace. */
export function useLightOrNone(): Light | undefined {
  const context = use(Context);
  const feed = context?.feed;
  const watch = useCallback((onChange: () => void) => (feed ? feed.watch(onChange) : NEVER()), [feed]);
  const isOffline = useSeenSince() !== undefined;
  const light = useSyncExternalStore(watch, () => (context ? (feed?.light ?? 'catching-up') : undefined));
  return light && isOffline ? 'offline' : light;
}

/**
 * Hear of everything that happens to the workspace's feedback. Both functions must be stable (useCallback). Who is late,
 * because what it shows was asked for before it was there, is told the last minute first.
 */
export function useFeedbackEvents(
  onChanges: (changes: readonly FeedbackChange[]) => void,
  onGap: () => void,
  { isLate = false } = {},
) {
  const { feed } = useContext();
  useEffect(() => feed?.listen({ onChanges, onGap }, isLate), [feed, onChanges, onGap, isLate]);
}

/** Calls back once when the feed has begun, if it had not yet: what was read until then may be of before. */
export function useFeedBegin(onBegin: () => void) {
  const { feed } = useContext();
  const [wasBegun] = useState(() => feed?.hasBegun ?? false);
  useEffect(() => (wasBegun ? undefined : feed?.begins(onBegin)), [feed, wasBegun, onBegin]);
}
