// The service worker, before which the build writes FILES, PAGES and VERSION: the pages are there without a server, too.
// It keeps what was built and nothing that anybody has said: what was seen last is in src/offline/seen.ts.
const SHELL = `earful-shell-${VERSION}`;
const OURS = /^earful-shell-/;
const PAGE = new RegExp(`^(?:${PAGES.join('|')})$`);

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(SHELL)
      .then((cache) => cache.addAll(FILES))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) =>
        Promise.all(names.filter((name) => OURS.test(name) && name !== SHELL).map((name) => caches.delete(name))),
      )
      .then(() => self.clients.claim()),
  );
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== self.location.origin) return;
  if (request.mode === 'navigate') {
    // The page that the server has now, before the one that is kept.
    if (PAGE.test(pathname)) event.respondWith(fetch(request).catch(() => kept('/')));
  } else if (pathname.startsWith('/assets/')) {
    // Their names have the hash of their contents.
    event.respondWith(kept(request).then((found) => found ?? fetch(request)));
  } else if (FILES.includes(pathname)) {
    event.respondWith(fetch(request).catch(() => kept(request)));
  }
});

async function kept(request) {
  const cache = await caches.open(SHELL);
  return cache.match(request, { ignoreVary: true });
}
