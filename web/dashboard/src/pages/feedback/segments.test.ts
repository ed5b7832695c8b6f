import { expect, test } from 'vitest';
import { segments } from './segments';

test('offsets count code points, not the halves of an emoji', () => {
  const spans = [
    { start: 0, end: 7, label: 'POSITIVE' },
    { start: 8, end: 12, label: 'NEGATIVE' },
  ];

  expect(segments('Great 🎉 Slow', spans)).toEqual([
    { text: 'Great 🎉', label: 'POSITIVE', start: 0 },
    { text: ' ', label: null, start: 7 },
    { text: 'Slow', label: 'NEGATIVE', start: 8 },
  ]);
});

test.each([
  [[], 'A text without sentences.'],
  [[{ start: 3, end: 99, label: 'NEUTRAL' }], 'A span that ends behind it.'],
  [
    [
      { start: 0, end: 9, label: 'NEUTRAL' },
      { start: 4, end: 12, label: 'POSITIVE' },
    ],
    'Spans over each other.',
  ],
])('nothing of the text is lost or doubled: %j', (spans, body) => {
  expect(
    segments(body, spans)
      .map(({ text }) => text)
      .join(''),
  ).toBe(body);
});
