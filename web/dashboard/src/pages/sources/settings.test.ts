import { expect, test } from 'vitest';
import { duration, lets, snippet } from './settings';

test('a snippet says which fields it has, and words that are not the usual ones', () => {
  expect(snippet('https://a.example/forms/pk_1.js', ['email'], { thanks: 'Danke "sehr"' })).toBe(
    '<script src="https://a.example/forms/pk_1.js" data-fields="email" data-thanks="Danke &quot;sehr&quot;"></script>',
  );
});

test.each([
  [['*'], true],
  [['https://a.example'], true],
  [['https://b.example'], false],
])('a form for %o', (origins, may) => {
  expect(lets({ origins, leastSeconds: 2, perAddressPerHour: 20 }, 'https://a.example')).toBe(may);
});

test('a length is told in its largest unit', () => {
  expect(duration(7_300, 'en')).toBe('2 hours');
  expect(duration(0, 'en')).toBe('0 seconds');
});
