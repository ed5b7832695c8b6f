import type { UpdateFeedbackInput } from '../../gql/graphql';
import type { Row } from './rows';

type Change = Omit<UpdateFeedbackInput, 'ids'>;

/** What makes these rows again what they were before a change: an input for all that were alike, none for what it left as it was. */
export function undoing(rows: readonly Row[], { status, assigneeId, addTagIds, removeTagIds }: Change) {
  const inputs: UpdateFeedbackInput[] = [];
  const take = (some: readonly Row[], back: Change) => {
    if (some.length) inputs.push({ ids: some.map(({ id }) => id), ...back });
  };
  const hasTag = (row: Row, tag: string) => row.tags.some(({ id }) => id === tag);
  if (status) {
    for (const [was, some] of grouped(rows, (row) => row.status)) if (was !== status) take(some, { status: was });
  }
  if (assigneeId !== undefined) {
    for (const [was, some] of grouped(rows, ({ assignee }) => assignee?.memberId ?? null)) {
      if (was !== assigneeId) take(some, { assigneeId: was });
    }
  }
  for (const tag of addTagIds ?? []) {
    const some = rows.filter((row) => !hasTag(row, tag));
    take(some, { removeTagIds: [tag] });
  }
  for (const tag of removeTagIds ?? []) {
    const some = rows.filter((row) => hasTag(row, tag));
    take(some, { addTagIds: [tag] });
  }
  return inputs;
}

function grouped<Key>(rows: readonly Row[], key: (row: Row) => Key): Map<Key, Row[]> {
  const groups = new Map<Key, Row[]>();
  for (const row of rows) groups.set(key(row), [...(groups.get(key(row)) ?? []), row]);
  return groups;
}
