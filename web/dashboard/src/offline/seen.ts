import { placeOf, withoutLinks } from './place';

interface Answer {
  data: unknown;
  at: number;
}

const CACHE = 'earful-seen';
const MOST = 80;
const PATIENCE = { timeout: 5_000 };

/** Browsers have it for pages over https and on this machine. */
const store = () => ('caches' in globalThis ? caches.open(CACHE) : undefined);

/** What is on screen comes first. */
const idle = () =>
  new Promise<unknown>((done) =>
    'requestIdleCallback' in globalThis ? requestIdleCallback(done, PATIENCE) : setTimeout(done),
  );

const watchers = new Set<() => void>();
/** Since when what is shown may be out of date: the oldest answer that was taken from here. */
let since: number | undefined;
/** Who asked before the last `forget` may be somebody else. */
let epoch = 0;

function become(next: number | undefined) {
  if (since === next) return;
  since = next;
  for (const watcher of watchers) watcher();
}

/** What was seen last, on this device, until its reader signs out. */
export const seen = {
  epoch: () => epoch,
  since: () => since,

  watch(onChange: () => void): () => void {
    watchers.add(onChange);
    return () => watchers.delete(onChange);
  },

  async keep(asked: number, name: string | undefined, variables: Record<string, unknown>, data: unknown) {
    const place = placeOf(name, variables, Date.now());
    if (!place) return;
    await idle();
    const cache = await store();
    if (asked !== epoch) return;
    const answer: Answer = { data, at: Date.now() };
    await cache?.put(place, new Response(JSON.stringify(answer, withoutLinks)));
    const places = (await cache?.keys()) ?? [];
    for (const oldest of places.slice(0, -MOST)) await cache?.delete(oldest);
    // It was forgotten while it was being written.
    if (asked !== epoch) await cache?.delete(place);
  },

  async recall(asked: number, name: string | undefined, variables: Record<string, unknown>): Promise<unknown> {
    const place = placeOf(name, variables, Date.now());
    const found = place && asked === epoch ? await (await store())?.match(place) : undefined;
    const answer = (await found?.json()) as Answer | undefined;
    if (answer && asked === epoch) become(Math.min(since ?? answer.at, answer.at));
    return answer?.data;
  },

  /** Everything comes from the server again. */
  over: () => become(undefined),

  /** Nobody, or somebody else, is signed in. */
  async forget() {
    epoch += 1;
    become(undefined);
    if ('caches' in globalThis) await caches.delete(CACHE);
  },
};
