import { useLayoutEffect, useRef } from 'react';
import { useLocation } from 'wouter';

let isBack = false;
window.addEventListener('popstate', () => {
  isBack = true;
});
// Told by the router.
window.addEventListener('pushState', () => {
  isBack = false;
});

/** Who goes to another page begins at its top; who goes back, or loads it again, is put where they were by the browser. */
export function useTop() {
  const [path] = useLocation();
  const last = useRef(path);
  useLayoutEffect(() => {
    if (path !== last.current && !isBack) scrollTo(0, 0);
    last.current = path;
  }, [path]);
}
