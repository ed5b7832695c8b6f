/**
 * The questions whose answers are kept for times without a server: what was said, and what it is told by. Secrets,
 * keys, links to files and the administration are in none of them.
 */
const KEPT = new Set([
  'Session',
  'Choices',
  'Overview',
  'OverviewGroups',
  'InboxPage',
  'SavedViews',
  'FeedbackPage',
  'FeedbackNotes',
  'SimilarFeedback',
]);

const DAY = 86_400_000;

/** Where the answer is kept; undefined of what is not. */
export function placeOf(name: string | undefined, variables: Record<string, unknown>, now: number): string | undefined {
  if (!name || !KEPT.has(name)) return undefined;
  return `/seen/${name}?${encodeURIComponent(JSON.stringify(untilNow(variables, now)))}`;
}

/** A time that ends today is the same tomorrow, for who asks for the last thirty days. */
function untilNow(variables: Record<string, unknown>, now: number) {
  const { from, to, before: _, ...rest } = variables;
  if (typeof from !== 'string' || typeof to !== 'string' || Date.parse(to) < now) return variables;
  return { ...rest, days: Math.round((Date.parse(to) - Date.parse(from)) / DAY) };
}

/** Links to files bear their own permission, and do not last. */
export const withoutLinks = (key: string, value: unknown) => (key.endsWith('Url') ? null : value);
