import { expect, test } from 'vitest';
import type { Row } from './rows';
import { undoing } from './undo';

const row = (id: string, some: Partial<Row> = {}): Row => ({
  __typename: 'Feedback',
  id,
  body: id,
  rating: null,
  occurredAt: '2026-11-23T10:00:00Z',
  receivedAt: '2026-11-23T10:00:00Z',
  status: 'OPEN',
  assignee: null,
  author: null,
  source: { __typename: 'Source', id: 'source_1', name: 'Shop' },
  sentiment: null,
  tags: [],
  ...some,
});
const BUG = { __typename: 'Tag' as const, id: 'tag_bug', name: 'bug', color: '#aa0000' };
const ADA = { __typename: 'FeedbackAssignee' as const, memberId: 'member_ada', name: 'Ada' };

test('each gets back the status that it had', () => {
  const rows = [row('a'), row('b', { status: 'IN_PROGRESS' }), row('c', { status: 'CLOSED' }), row('d')];

  expect(undoing(rows, { status: 'CLOSED' })).toEqual([
    { ids: ['a', 'd'], status: 'OPEN' },
    { ids: ['b'], status: 'IN_PROGRESS' },
  ]);
});

test('what was nobody’s is nobody’s again', () => {
  const rows = [row('a'), row('b', { assignee: ADA })];

  expect(undoing(rows, { assigneeId: 'member_ada' })).toEqual([{ ids: ['a'], assigneeId: null }]);
  expect(undoing(rows, { assigneeId: null })).toEqual([{ ids: ['b'], assigneeId: 'member_ada' }]);
});

test('a tag is taken only from what had it not before, and given back only to what had it', () => {
  const rows = [row('a'), row('b', { tags: [BUG] })];

  expect(undoing(rows, { addTagIds: ['tag_bug'] })).toEqual([{ ids: ['a'], removeTagIds: ['tag_bug'] }]);
  expect(undoing(rows, { removeTagIds: ['tag_bug'] })).toEqual([{ ids: ['b'], addTagIds: ['tag_bug'] }]);
});

test('what was changed to what it was needs no way back', () => {
  expect(undoing([row('a')], { status: 'OPEN' })).toEqual([]);
});
