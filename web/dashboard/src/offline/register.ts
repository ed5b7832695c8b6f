/** Puts the pages on the device of who has signed in, when there is nothing better to do. */
export function register() {
  if (import.meta.env.PROD && 'serviceWorker' in navigator) {
    const later = globalThis.requestIdleCallback ?? ((work: () => void) => setTimeout(work, 2_000));
    // Where it cannot be (a private window, a certificate of one's own) everything works while there is a server.
    later(() => void navigator.serviceWorker.register('/sw.js').catch(() => {}));
  }
}
