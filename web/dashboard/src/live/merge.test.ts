import { expect, test } from 'vitest';
import type { FeedbackRowFragment } from '../gql/graphql';
import type { FeedbackChange } from './feed';
import { merged, newestFirst } from './merge';

const row = (id: string, minute: number, body = id): FeedbackRowFragment => ({
  __typename: 'Feedback',
  id,
  body,
  rating: null,
  occurredAt: `2026-11-23T10:0${minute}:00Z`,
  receivedAt: `2026-11-23T10:0${minute}:00Z`,
  status: 'OPEN',
  assignee: null,
  author: null,
  source: { __typename: 'Source', id: 'source_1', name: 'Shop' },
  sentiment: null,
  tags: [],
});

const change = (type: FeedbackChange['type'], feedback: FeedbackRowFragment): FeedbackChange => ({
  __typename: 'FeedbackEvent',
  cursor: `${type} ${feedback.id}`,
  type,
  feedback,
});

test('what is new stands in its place, and no more than there is room for', () => {
  const rows = merged([row('a', 1), row('b', 3)], [change('ADDED', row('c', 2)), change('ADDED', row('d', 4))], 3);

  expect(rows.map(({ id }) => id)).toEqual(['d', 'b', 'c']);
});

test('an event that comes twice changes nothing', () => {
  const added = change('ADDED', row('a', 1));

  expect(merged(merged([], [added], 9), [added], 9)).toEqual([row('a', 1)]);
});

test('a score changes the row that is there, and brings none that is not', () => {
  const rows = merged([row('a', 1)], [change('SCORED', row('a', 1, 'A')), change('SCORED', row('b', 2))], 9);

  expect(rows).toEqual([row('a', 1, 'A')]);
});

test('what is deleted is gone', () => {
  expect(merged([row('a', 1)], [change('DELETED', row('a', 1, ''))], 9)).toEqual([]);
});

test.each([
  ['a whole second', '2026-11-23T10:00:00Z', '2026-11-23T10:00:00.000001Z'],
  ['what milliseconds do not show', '2026-11-23T10:00:00.123456Z', '2026-11-23T10:00:00.123457Z'],
  ['fewer digits', '2026-11-23T10:00:00.12Z', '2026-11-23T10:00:00.123Z'],
  ['another zone', '2026-11-23T12:00:00+02:00', '2026-11-23T10:00:01Z'],
])('the newer of two moments is the first: %s', (_, older, newer) => {
  const rows = [
    { id: 'b', occurredAt: older },
    { id: 'a', occurredAt: newer },
  ];

  expect([...rows].sort(newestFirst).map(({ id }) => id)).toEqual(['a', 'b']);
  expect(
    [...rows]
      .reverse()
      .sort(newestFirst)
      .map(({ id }) => id),
  ).toEqual(['a', 'b']);
});

test('of one moment, however it is written, the greater id is the first', () => {
  const rows = [
    { id: 'a', occurredAt: '2026-11-23T10:00:00Z' },
    { id: 'c', occurredAt: '2026-11-23T11:00:00.000+01:00' },
    { id: 'b', occurredAt: '2026-11-23T10:00:00.000000Z' },
  ];

  expect(rows.sort(newestFirst).map(({ id }) => id)).toEqual(['c', 'b', 'a']);
});
