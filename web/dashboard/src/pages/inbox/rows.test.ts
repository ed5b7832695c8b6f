import { expect, test } from 'vitest';
import type { FeedbackChange } from '../../live/feed';
import { changed, extended, isBeyond, NONE, type Row, type Rows, revealed } from './rows';

const row = (id: string, minute: number, body = id): Row => ({
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

const change = (type: FeedbackChange['type'], feedback: Row): FeedbackChange => ({
  __typename: 'FeedbackEvent',
  cursor: `${type} ${feedback.id}`,
  type,
  feedback,
});

const ids = ({ shown, waiting }: Rows) => [shown.map(({ id }) => id), waiting.map(({ id }) => id)];
const all = () => true;
const LIST: Rows = { shown: [row('c', 3), row('b', 2)], waiting: [] };

test('what is new waits, once, and moves nothing', () => {
  const added = change('ADDED', row('d', 4));

  expect(ids(changed(changed(LIST, [added], all), [added], all))).toEqual([['c', 'b'], ['d']]);
});

test('what does not belong into the list does not wait for it', () => {
  expect(ids(changed(LIST, [change('ADDED', row('d', 4))], () => false))).toEqual([['c', 'b'], []]);
});

test('a row becomes what it is now, shown or waiting, whether it still belongs there or not', () => {
  const waiting = changed(LIST, [change('ADDED', row('d', 4))], all);
  const after = changed(waiting, [change('SCORED', row('c', 3, 'C')), change('SCORED', row('d', 4, 'D'))], () => false);

  expect([...after.shown, ...after.waiting].map(({ body }) => body)).toEqual(['C', 'b', 'D']);
});

test('what is deleted goes, and does not come back with an event before it', () => {
  const changes = [change('ADDED', row('d', 4)), change('DELETED', row('d', 4)), change('DELETED', row('b', 2))];

  expect(ids(changed(LIST, changes, all))).toEqual([['c'], []]);
});

test('what waited is shown in its place', () => {
  expect(ids(revealed(changed(LIST, [change('ADDED', row('d', 4)), change('ADDED', row('a', 1))], all)))).toEqual([
    ['d', 'c', 'b', 'a'],
    [],
  ]);
});

test('a page adds what is not there, and what waited and is in it waits no more', () => {
  const waiting = changed(LIST, [change('ADDED', row('a', 1))], all);

  expect(ids(extended(waiting, [row('b', 2), row('a', 1)]))).toEqual([['c', 'b', 'a'], []]);
});

test('what is older than the end of a list is for a later page', () => {
  expect(isBeyond(row('a', 1), row('b', 2))).toBe(true);
  expect(isBeyond(row('c', 3), row('b', 2))).toBe(false);
  expect(isBeyond(row('a', 1), undefined)).toBe(false);
});

test('an answer that is older than what was told meanwhile becomes what was told', () => {
  const told = [change('ADDED', row('d', 4)), change('SCORED', row('b', 2, 'B')), change('DELETED', row('c', 3))];
  const after = changed(extended(NONE, [row('c', 3), row('b', 2)]), told, all);

  expect(ids(after)).toEqual([['b'], ['d']]);
  expect(after.shown.map(({ body }) => body)).toEqual(['B']);
});
