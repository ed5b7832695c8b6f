// What the dashboard's page for partners hands over: an API key, which stays in this page's memory, and an operation.

export interface Handed {
  authorization?: string;
  query?: string;
  variables?: string;
}

/** How the page that opens this one says that it has something. */
const MARK = '#partner';
const PATIENCE_MS = 5_000;

export function handed(): Promise<Handed> {
  const opener = window.opener as Window | null;
  if (!opener || window.location.hash !== MARK) {
    return Promise.resolve({});
  }
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve({}), PATIENCE_MS);
    window.addEventListener('message', ({ origin, source, data }: MessageEvent<Handed>) => {
      if (origin === window.location.origin && source === opener) {
        clearTimeout(timer);
        resolve(data);
      }
    });
    opener.postMessage('earful:ready', window.location.origin);
  });
}
