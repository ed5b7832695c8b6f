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

type Placed = Pick<FeedbackRowFragment, 'id' | 'occurredAt'>;

/** As the server sorts them: the newest first, and of one moment the one with the greater id. */
export function newestFirst(one: Placed, other: Placed): number {
  const apart = microseconds(other.occurredAt) - microseconds(one.occurredAt);
  if (apart || one.id === other.id) return apart;
  return one.id < other.id ? 1 : -1;
}

/** Dates have milliseconds only. */
function microseconds(moment: string): number {
  const [fraction = '', digits = ''] = /\.(\d+)/.exec(moment) ?? [];
  return Date.parse(moment.replace(fraction, '')) * 1_000 + Number(digits.slice(0, 6).padEnd(6, '0'));
}
