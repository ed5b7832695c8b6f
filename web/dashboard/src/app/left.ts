import { useEffect } from 'react';
import { useLocation, useSearch } from 'wouter';
import { useSession } from './session';

const LEFT = new Map<string, string>();

/** Remembers what each page was narrowed to when it was left, for as long as this window is open. */
export function useRemembering() {
  const { user } = useSession();
  const [path] = useLocation();
  const search = useSearch();
  // biome-ignore lint/correctness/useExhaustiveDependencies: both are read at once, or one may be the last page's
  useEffect(() => {
    LEFT.set(`${user?.id} ${location.pathname}`, location.search.slice(1));
  }, [user, path, search]);
}

/** Answers for a page the address at which the reader left it. */
export function useLeft(): (path: string) => string {
  const { user } = useSession();
  return (path) => {
    const search = LEFT.get(`${user?.id} ${path}`);
    return search ? `${path}?${search}` : path;
  };
}
