import type { FeedbackRowFragment } from '../gql/graphql';
import type { FeedbackChange } from './feed';

/** A list with the newest first, after these changes: rows by their ids, so that an event that comes twice does no harm. */
export function merged(
  rows: readonly FeedbackRowFragment[],
  changes: readonly FeedbackChange[],
  most: number,
): FeedbackRowFragment[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const { type, feedback } of changes) {
    if (type === 'DELETED') {
      byId.delete(feedback.id);
    } else if (type === 'ADDED' || byId.has(feedback.id)) {
      byId.set(feedback.id, feedback);
    }
  }
  return [...byId.values()].sort(newestFirst).slice(0, most);
}

function newestFirst(one: FeedbackRowFragment, other: FeedbackRowFragment): number {
  const [a, b] = [one.occurredAt, other.occurredAt];
  if (a !== b) return a < b ? 1 : -1;
  return one.id < other.id ? 1 : -1;
}
