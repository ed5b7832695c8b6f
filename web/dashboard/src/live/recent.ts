const KEPT_FOR = 60_000;
const KEPT = 500;

/** What came lately, for who asked for a list before it could listen: between the two nothing is lost. */
export function recent<Item>(now: () => number = () => performance.now()) {
  let items: { item: Item; at: number }[] = [];
  return {
    keep(added: readonly Item[]) {
      const at = now();
      items = [...items, ...added.map((item) => ({ item, at }))].slice(-KEPT);
    },
    all(): Item[] {
      const since = now() - KEPT_FOR;
      return items.filter(({ at }) => at >= since).map(({ item }) => item);
    },
  };
}
