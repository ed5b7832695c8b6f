// Who is asking: the user of the cookies, or whomever the Authorization header names.
import { type ExecutionResult } from 'graphql';
import { useSyncExternalStore } from 'react';

import caller from './operations/caller.graphql';
import refresh from './operations/refresh.graphql';
import signOut from './operations/sign_out.graphql';
import { post } from './transport';

export interface Caller {
  name: string;
  /** Whether cookies name the caller; only those can be signed out here. */
  byCookie: boolean;
  workspaceId: string | null;
}

interface Viewer {
  user: { email: string } | null;
  apiKey: { name: string } | null;
  workspaces: { id: string; slug: string }[];
}

/** Set while cookies are expected to work, so that strangers cause no vain refreshes. */
const HAD_COOKIES = 'earful:cookies';
const CHECK_EVERY_MS = 60_000;

/** Undefined until the server has been asked, null when nobody is signed in. */
let current: Caller | null | undefined;
let asked = 0;
let askedAt = 0;
let askedFor: string | undefined;
let refreshing: Promise<boolean> | null = null;
const listeners = new Set<() => void>();

export function useCaller(): Caller | null | undefined {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}

/** Ask the server who the caller is. The newest question wins. */
export async function identify(authorization?: string): Promise<void> {
  const question = ++asked;
  askedAt = Date.now();
  askedFor = authorization;
  let viewer = await fetchViewer(authorization);
  if (!viewer && !authorization && (await refreshCookies())) {
    viewer = await fetchViewer();
  }
  if (question !== asked) {
    return;
  }
  if (viewer && !authorization) {
    window.localStorage.setItem(HAD_COOKIES, 'yes');
  }
  current = viewer && read(viewer, !authorization);
  listeners.forEach((listener) => listener());
}

/** Identify again when the header is another one or the last answer is old. */
export async function keepIdentified(authorization?: string): Promise<void> {
  if (authorization !== askedFor || Date.now() - askedAt > CHECK_EVERY_MS) {
    await identify(authorization);
  }
}

/** Trade the refresh cookie for a new pair; false when there is none that works. */
export function refreshCookies(): Promise<boolean> {
  if (!window.localStorage.getItem(HAD_COOKIES)) {
    return Promise.resolve(false);
  }
  refreshing ??= post({ query: refresh })
    .then((result) => {
      const answer = result.data?.refreshSession as { __typename: string } | undefined;
      if (answer?.__typename === 'InvalidCredentials') {
        window.localStorage.removeItem(HAD_COOKIES);
      }
      return answer?.__typename === 'RefreshSessionSuccess';
    })
    .catch(() => false)
    .finally(() => {
      refreshing = null;
    });
  return refreshing;
}

export async function leave(): Promise<void> {
  await post({ query: signOut });
  window.localStorage.removeItem(HAD_COOKIES);
  await identify();
}

export function isUnauthenticated(result: ExecutionResult): boolean {
  return result.errors?.some((error) => error.extensions?.code === 'UNAUTHENTICATED') ?? false;
}

async function fetchViewer(authorization?: string): Promise<Viewer | null> {
  try {
    const result = await post({ query: caller }, authorization ? { authorization } : {});
    return (result.data?.viewer as Viewer | null | undefined) ?? null;
  } catch {
    return null;
  }
}

function read(viewer: Viewer, byCookie: boolean): Caller {
  const workspace = viewer.workspaces.find(({ slug }) => slug === 'demo') ?? viewer.workspaces[0];
  return {
    name: viewer.user?.email ?? `API key “${viewer.apiKey?.name ?? ''}”`,
    byCookie,
    workspaceId: workspace?.id ?? null,
  };
}
