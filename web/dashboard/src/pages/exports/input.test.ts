import { expect, test } from 'vitest';
import { Values } from '../../ui/Form';
import { exportIn, planOf, scheduleIn, sized } from './input';

function filled(fields: [string, string][]) {
  const data = new FormData();
  for (const [name, value] of fields) data.append(name, value);
  return new Values(data);
}

test('the last day is exported as a whole', () => {
  const { format, filter } = exportIn(
    filled([
      ['format', 'NDJSON'],
      ['from', '2026-11-01'],
      ['to', '2026-11-30'],
      ['filter.sentiments', 'NEGATIVE'],
    ]),
  );

  expect(format).toBe('NDJSON');
  expect(filter).toEqual({
    sentiments: ['NEGATIVE'],
    occurredAfter: new Date(2026, 10, 1).toISOString(),
    occurredBefore: new Date(2026, 11, 1).toISOString(),
  });
});

test('without days all of it is exported', () => {
  expect(exportIn(filled([['format', 'CSV']])).filter).toEqual({});
});

test('an export at midnight is scheduled at midnight', () => {
  const given: [string, string][] = [
    ['name', 'Complaints'],
    ['format', 'PDF'],
    ['period', 'WEEK'],
    ['hour', '0'],
    ['timeZone', 'Europe/Berlin'],
    ['memberIds', 'member_1'],
  ];

  expect(scheduleIn(filled(given))).toEqual({
    name: 'Complaints',
    format: 'PDF',
    period: 'WEEK',
    hour: 0,
    timeZone: 'Europe/Berlin',
    filter: {},
    memberIds: ['member_1'],
  });
});

test('a schedule is found by the name of its plan', () => {
  expect(planOf('export_schedule_01a208ed4ab877129540f95c244868fd')).toBe('export 01a208ed4ab877129540f95c244868fd');
});

test.each([
  [0, '0 byte'],
  [999, '999 byte'],
  [988_025, '988 kB'],
  [1_250_000, '1.3 MB'],
])('%i bytes are %s', (bytes, words) => {
  expect(sized(bytes, 'en-GB')).toBe(words);
});
