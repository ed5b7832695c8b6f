import { expect, test } from 'vitest';
import { records } from './csv';
import { changed, counted } from './fields';

test('cells may hold commas, quotes and lines', () => {
  expect(records('row,column,reason,original\r\n3,"Stars, all","no ""number""","a\nb"\r\n', 10)).toEqual([
    ['row', 'column', 'reason', 'original'],
    ['3', 'Stars, all', 'no "number"', 'a\nb'],
  ]);
});

test('a record that breaks off is left out, and no more than asked for are answered', () => {
  expect(records('1,a\r\n2,"b', 10)).toEqual([['1', 'a']]);
  expect(records('1,a\n2,b\n', 1)).toEqual([['1', 'a']]);
});

test('who changes one field says all of them', () => {
  expect(changed({ body: 'Text', rating: 'Stars' }, 'rating', null)).toEqual({
    body: 'Text',
    rating: null,
    occurredAt: null,
    externalId: null,
    authorName: null,
    authorEmail: null,
    authorExternalId: null,
    tags: null,
    language: null,
    metadata: null,
    source: null,
  });
});

test('a job that has told nothing yet has counted nothing', () => {
  expect(counted(null)).toBeUndefined();
  expect(counted({ rows: 2, stored: 1, duplicates: 0, refused: 1 })?.refused).toBe(1);
});
