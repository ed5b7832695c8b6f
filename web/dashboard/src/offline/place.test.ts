import { expect, test } from 'vitest';
import { placeOf, withoutLinks } from './place';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const days = (from: string, to: string) => placeOf('Overview', { slug: 'demo', before: 'whenever', from, to }, NOW);

test('what may hold a secret is not kept', () => {
  expect(['ApiKeys', 'OneSource', 'OneWebhook', 'Account', undefined].map((name) => placeOf(name, {}, NOW))).toEqual(
    Array(5).fill(undefined),
  );
});

test('the last days are found on the next day, too', () => {
  const today = days('2026-11-22T00:00:00Z', '2026-11-24T00:00:00Z');

  expect(days('2026-11-23T00:00:00Z', '2026-11-25T00:00:00Z')).toBe(today);
  expect(days('2026-11-20T00:00:00Z', '2026-11-24T00:00:00Z')).not.toBe(today);
});

test('a time that is over is itself and no other', () => {
  expect(days('2026-11-01T00:00:00Z', '2026-11-03T00:00:00Z')).not.toBe(
    days('2026-11-02T00:00:00Z', '2026-11-04T00:00:00Z'),
  );
});

test('links that permit something are left out', () => {
  expect(JSON.parse(JSON.stringify({ downloadUrl: 'https://s3/signed', name: 'a.png' }, withoutLinks))).toEqual({
    downloadUrl: null,
    name: 'a.png',
  });
});
