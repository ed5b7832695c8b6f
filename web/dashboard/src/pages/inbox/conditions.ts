import type {
  FeedbackFilter,
  FeedbackOrder,
  FeedbackRowFragment,
  FeedbackStatus,
  SentimentLabel,
} from '../../gql/graphql';

/** What the address says of the list: empty and missing are the same. */
export interface Conditions {
  search: string;
  sentiments: SentimentLabel[];
  sources: string[];
  tags: string[];
  statuses: FeedbackStatus[];
  /** Ids of members, and `nobody`. */
  assignees: string[];
  least: string;
  most: string;
  /** Days as the reader's calendar has them: `2026-11-23`. Both are included. */
  from: string;
  to: string;
  order: FeedbackOrder;
}

export const NOBODY = 'nobody';
export const SENTIMENTS: readonly SentimentLabel[] = ['POSITIVE', 'NEUTRAL', 'NEGATIVE'];
export const STATUSES: readonly FeedbackStatus[] = ['OPEN', 'IN_PROGRESS', 'CLOSED'];
export const ORDERS: readonly FeedbackOrder[] = ['NEWEST_FIRST', 'OLDEST_FIRST', 'MOST_NEGATIVE', 'MOST_POSITIVE'];

const LISTS = ['sources', 'tags', 'assignees'] as const;
const TEXTS = ['search', 'least', 'most', 'from', 'to'] as const;
const DAY = /^\d{4}-\d\d-\d\d$/;

/** Reads the address; what makes no sense there is left out. */
export function read(address: string): Conditions {
  const given = new URLSearchParams(address);
  const list = (name: string) => given.get(name)?.split(',').filter(Boolean) ?? [];
  const among = <Word extends string>(words: readonly Word[], name: string) =>
    words.filter((word) => list(name).includes(word));
  const number = (name: string) => (/^(10|\d)$/.test(given.get(name) ?? '') ? (given.get(name) ?? '') : '');
  const day = (name: string) => (DAY.test(given.get(name) ?? '') ? (given.get(name) ?? '') : '');
  return {
    search: given.get('search') ?? '',
    sentiments: among(SENTIMENTS, 'sentiments'),
    sources: list('sources'),
    tags: list('tags'),
    statuses: among(STATUSES, 'statuses'),
    assignees: list('assignees'),
    least: number('least'),
    most: number('most'),
    from: day('from'),
    to: day('to'),
    order: ORDERS.find((order) => order === given.get('order')) ?? 'NEWEST_FIRST',
  };
}

/** Writes the address, the shortest there is; the same conditions give the same. */
export function written(conditions: Conditions): string {
  const address = new URLSearchParams();
  for (const name of TEXTS) if (conditions[name]) address.set(name, conditions[name]);
  for (const name of [...LISTS, 'sentiments', 'statuses'] as const) {
    if (conditions[name].length) address.set(name, conditions[name].join(','));
  }
  if (conditions.order !== 'NEWEST_FIRST') address.set('order', conditions.order);
  return address.toString();
}

/** What the server is asked for. */
export function asFilter(given: Conditions): FeedbackFilter {
  return {
    ...(given.search && { search: given.search }),
    ...(given.sentiments.length && { sentiments: given.sentiments }),
    ...(given.sources.length && { sourceIds: given.sources }),
    ...(given.tags.length && { tagIds: given.tags }),
    ...(given.statuses.length && { statuses: given.statuses }),
    ...(given.assignees.length && { assigneeIds: given.assignees.map((each) => (each === NOBODY ? null : each)) }),
    ...(given.least && { ratingGte: Number(given.least) }),
    ...(given.most && { ratingLte: Number(given.most) }),
    ...(given.from && { occurredAfter: midnight(given.from).toISOString() }),
    ...(given.to && { occurredBefore: midnight(given.to, 1).toISOString() }),
  };
}

/** The address of a saved view. */
export function fromFilter(filter: FeedbackFilter, order: FeedbackOrder): string {
  return written({
    search: filter.search ?? '',
    sentiments: filter.sentiments ?? [],
    sources: filter.sourceIds ?? [],
    tags: filter.tagIds ?? [],
    statuses: filter.statuses ?? [],
    assignees: filter.assigneeIds?.map((each) => each ?? NOBODY) ?? [],
    least: filter.ratingGte?.toString() ?? '',
    most: filter.ratingLte?.toString() ?? '',
    from: filter.occurredAfter ? day(new Date(filter.occurredAfter)) : '',
    to: filter.occurredBefore ? day(new Date(new Date(filter.occurredBefore).getTime() - 1)) : '',
    order,
  });
}

/** Whether a feedback belongs into the list, as far as that can be seen here: words are the server's to find. */
export function fits(given: Conditions, row: FeedbackRowFragment): boolean {
  const has = <Value>(wanted: readonly Value[], value: Value) => !wanted.length || wanted.includes(value);
  const { ratingGte, ratingLte, occurredAfter, occurredBefore } = asFilter(given);
  const at = Date.parse(row.occurredAt);
  return (
    (!given.sentiments.length || (row.sentiment !== null && given.sentiments.includes(row.sentiment.label))) &&
    has(given.sources, row.source.id) &&
    (!given.tags.length || row.tags.some(({ id }) => given.tags.includes(id))) &&
    has(given.statuses, row.status) &&
    has(given.assignees, row.assignee?.memberId ?? NOBODY) &&
    (ratingGte == null || (row.rating !== null && row.rating >= ratingGte)) &&
    (ratingLte == null || (row.rating !== null && row.rating <= ratingLte)) &&
    (occurredAfter == null || at >= Date.parse(occurredAfter)) &&
    (occurredBefore == null || at < Date.parse(occurredBefore))
  );
}

function midnight(text: string, later = 0): Date {
  const [year = 0, month = 1, date = 1] = text.split('-').map(Number);
  return new Date(year, month - 1, date + later);
}

function day(date: Date): string {
  const two = (number: number) => String(number).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
