import { expect, test } from 'vitest';
import { Values } from '../../ui/Form';
import { authorIn, named } from './author';

function filled(by: string, identifier: string) {
  const data = new FormData();
  data.append('by', by);
  data.append('identifier', identifier);
  return authorIn(new Values(data));
}

test('an author is known by an address or by an id, never by both', () => {
  expect(filled('email', ' ada@example.com ')).toEqual({ email: 'ada@example.com' });
  expect(filled('externalId', 'customer 7')).toEqual({ externalId: 'customer 7' });
});

test('what is asked about names the author', () => {
  expect(named(filled('externalId', 'customer 7'))).toBe('customer 7');
});
