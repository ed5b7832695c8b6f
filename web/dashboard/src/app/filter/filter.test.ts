import { expect, test } from 'vitest';
import { Values } from '../../ui/Form';
import shell from '../messages.en';
import messages from './messages.en';
import { filterIn, type Which } from './values';
import { inWords } from './words';

function filled(fields: [string, string][]) {
  const data = new FormData();
  for (const [name, value] of fields) data.append(name, value);
  return filterIn(new Values(data), 'filter.');
}

test('what was left empty is not asked for', () => {
  expect(
    filled([
      ['filter.search', '  '],
      ['filter.ratingGte', ''],
      ['search', 'not ours'],
    ]),
  ).toEqual({});
});

test('what was filled in is a filter', () => {
  const given: [string, string][] = [
    ['filter.search', ' late '],
    ['filter.tagIds', 'tag_1'],
    ['filter.tagIds', 'tag_2'],
    ['filter.sentiments', 'NEGATIVE'],
    ['filter.ratingGte', '0'],
    ['filter.ratingLte', '3'],
  ];

  expect(filled(given)).toEqual({
    search: 'late',
    tagIds: ['tag_1', 'tag_2'],
    sentiments: ['NEGATIVE'],
    ratingGte: 0,
    ratingLte: 3,
  });
});

test('a filter is said in words, a rating of none included', () => {
  const which: Which = {
    search: 'late',
    sourceIds: ['source_1', 'source_2'],
    sentiments: ['NEGATIVE'],
    ratingLte: 0,
  };
  const sources = [{ id: 'source_1', name: 'Shop' }];

  expect(inWords(which, messages, shell, sources, [])).toBe(
    '“late” · Shop, something that is gone · Negative · rated 0 or less',
  );
  expect(inWords({}, messages, shell, sources, [])).toBe('all feedback');
});
