import { expect, test } from 'vitest';
import { Values } from '../../ui/Form';
import { dayOf, keyInput } from './input';

function filled(fields: [string, string][]) {
  const data = new FormData();
  for (const [name, value] of fields) data.append(name, value);
  return keyInput(new Values(data));
}

test('a key ends with the day that was chosen', () => {
  const { expiresAt } = filled([['expiresAt', '2026-12-24']]);

  expect(dayOf(expiresAt)).toBe('2026-12-24');
  expect(new Date(expiresAt ?? '').getHours()).toBe(23);
});

test('without a day it does not end', () => {
  expect(filled([['name', 'Shop']]).expiresAt).toBeNull();
});

test('networks are told apart by commas and white space', () => {
  expect(filled([['allowedIps', '203.0.113.0/24, 198.51.100.7\n2001:db8::/32 ']]).allowedIps).toEqual([
    '203.0.113.0/24',
    '198.51.100.7',
    '2001:db8::/32',
  ]);
});

test('all scopes that are ticked are asked for', () => {
  const ticked: [string, string][] = [
    ['scopes', 'feedback:read'],
    ['scopes', 'stats:read'],
  ];

  expect(filled(ticked).scopes).toEqual(['feedback:read', 'stats:read']);
});
