import { type RefCallback, useCallback, useState } from 'react';

/** Whether what has the reference was on screen already: what is further down need not be asked for yet. */
export function useSight(): [RefCallback<Element>, boolean] {
  const [wasSeen, setSeen] = useState(!('IntersectionObserver' in globalThis));
  const watch = useCallback((element: Element | null) => {
    if (!element || !('IntersectionObserver' in globalThis)) return undefined;
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      observer.disconnect();
      setSeen(true);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [watch, wasSeen];
}
