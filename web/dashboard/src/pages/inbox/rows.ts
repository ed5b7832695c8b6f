import type { FeedbackRowFragment } from '../../gql/graphql';
import type { FeedbackChange } from '../../live/feed';
import { newestFirst } from '../../live/merge';

export type Row = FeedbackRowFragment;

/** A list that one reads: what comes waits until it is asked for, so that nothing moves under one's eyes. */
export interface Rows {
  shown: readonly Row[];
  /** What belongs into it and is not shown yet. */
  waiting: readonly Row[];
}

export const NONE: Rows = { shown: [], waiting: [] };

/** After a further page; what is there already stays where it is. */
export function extended({ shown, waiting }: Rows, page: readonly Row[]): Rows {
  const known = new Set(shown.map(({ id }) => id));
  const paged = new Set(page.map(({ id }) => id));
  return {
    shown: [...shown, ...page.filter(({ id }) => !known.has(id))],
    waiting: waiting.filter(({ id }) => !paged.has(id)),
  };
}

/** After what happened: rows become what they are now, what is deleted goes, what is new waits. */
export function changed(rows: Rows, changes: readonly FeedbackChange[], belongs: (row: Row) => boolean): Rows {
  const now = new Map<string, Row>();
  const gone = new Set<string>();
  for (const { type, feedback } of changes) {
    if (type === 'DELETED') gone.add(feedback.id);
    else now.set(feedback.id, feedback);
  }
  const after = (list: readonly Row[]) => list.filter(({ id }) => !gone.has(id)).map((row) => now.get(row.id) ?? row);
  const known = new Set([...rows.shown, ...rows.waiting].map(({ id }) => id));
  const fresh = [...now.values()].filter((row) => !known.has(row.id) && !gone.has(row.id) && belongs(row));
  return { shown: after(rows.shown), waiting: [...after(rows.waiting), ...fresh] };
}

/** With those that waited, where the newest come first. */
export function revealed({ shown, waiting }: Rows): Rows {
  return { shown: [...shown, ...waiting].sort(newestFirst), waiting: [] };
}

/** Older than the last of a list that goes on: it will be in a page to come. */
export function isBeyond(row: Row, last: Row | undefined): boolean {
  return last !== undefined && newestFirst(row, last) > 0;
}
