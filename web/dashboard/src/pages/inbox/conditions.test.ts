import { expect, test } from 'vitest';
import type { FeedbackRowFragment } from '../../gql/graphql';
import { asFilter, fits, fromFilter, read, written } from './conditions';

const ADDRESS =
  'search=late+-refund&least=2&most=8&from=2026-11-01&to=2026-11-23&sources=source_1&tags=tag_1%2Ctag_2&assignees=nobody%2Cmember_1&sentiments=NEGATIVE&statuses=OPEN%2CCLOSED&order=MOST_NEGATIVE';

const row = (given: Partial<FeedbackRowFragment>): FeedbackRowFragment => ({
  __typename: 'Feedback',
  id: 'feedback_1',
  body: 'Late again',
  rating: null,
  occurredAt: '2026-11-20T10:00:00Z',
  receivedAt: '2026-11-20T10:00:00Z',
  status: 'OPEN',
  assignee: null,
  author: null,
  source: { __typename: 'Source', id: 'source_1', name: 'Shop' },
  sentiment: null,
  tags: [],
  ...given,
});

test('an address says the same after it was read', () => {
  expect(written(read(ADDRESS))).toBe(ADDRESS);
});

test('what makes no sense in an address is left out', () => {
  expect(written(read('least=11&most=x&from=yesterday&sentiments=HAPPY&statuses=&order=LOUDEST&other=1'))).toBe('');
});

test('the server is asked for what is in the address', () => {
  expect(asFilter(read(ADDRESS))).toMatchObject({
    search: 'late -refund',
    ratingGte: 2,
    ratingLte: 8,
    sourceIds: ['source_1'],
    tagIds: ['tag_1', 'tag_2'],
    assigneeIds: [null, 'member_1'],
    sentiments: ['NEGATIVE'],
    statuses: ['OPEN', 'CLOSED'],
  });
});

test('the last day is included, in the zone of the reader', () => {
  const { occurredAfter, occurredBefore } = asFilter(read('from=2026-11-01&to=2026-11-01'));

  expect(new Date(occurredAfter ?? '')).toEqual(new Date(2026, 10, 1));
  expect(new Date(occurredBefore ?? '')).toEqual(new Date(2026, 10, 2));
});

test('a saved view has the address that it was saved from', () => {
  expect(fromFilter(asFilter(read(ADDRESS)), 'MOST_NEGATIVE')).toBe(ADDRESS);
});

test.each([
  ['', row({}), true],
  ['statuses=OPEN', row({}), true],
  ['statuses=CLOSED', row({}), false],
  ['assignees=nobody', row({}), true],
  ['assignees=member_1', row({}), false],
  ['sources=source_2', row({}), false],
  ['tags=tag_1', row({ tags: [{ __typename: 'Tag', id: 'tag_1', name: 'Late', color: '#000000' }] }), true],
  ['tags=tag_1', row({}), false],
  ['sentiments=NEGATIVE', row({}), false],
  ['least=5', row({ rating: 5 }), true],
  ['least=5', row({ rating: 4 }), false],
  ['most=5', row({}), false],
  ['from=2026-11-21', row({}), false],
  ['to=2026-11-20', row({}), true],
  ['to=2026-11-19', row({}), false],
])('what arrives belongs to %j: %#', (address, given, expected) => {
  expect(fits(read(address), given)).toBe(expected);
});
