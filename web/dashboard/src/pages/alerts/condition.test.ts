import { expect, test } from 'vitest';
import { formats } from '../../i18n/format';
import { type Condition, duration, kept, measured, told } from './condition';
import messages from './messages.en';

const COUNT: Condition = {
  kind: 'COUNT',
  metric: 'COUNT',
  shareOf: ['NEGATIVE'],
  filter: {},
  windowMinutes: 120,
  comparison: 'AT_LEAST',
  threshold: 10,
  baselineWeeks: 4,
};

const say = (some: Partial<Condition>) => told({ ...COUNT, ...some }, messages, 'en-GB', formats('en-GB'));

test.each([
  [5, '5 minutes'],
  [90, '90 minutes'],
  [60, '1 hour'],
  [1_440, '1 day'],
  [10_080, '7 days'],
])('%i minutes are %s', (minutes, words) => {
  expect(duration(minutes, 'en-GB')).toBe(words);
});

test('each kind says when it fires', () => {
  expect(say({})).toBe('at least 10 messages within 2 hours');
  expect(say({ kind: 'SHARE', metric: 'SHARE', shareOf: ['NEGATIVE', 'NEUTRAL'], threshold: 40 })).toBe(
    'at least 40 % of what was scored within 2 hours is negative + neutral',
  );
  expect(say({ kind: 'AVERAGE', metric: 'RATING', comparison: 'AT_MOST', threshold: 2.5 })).toBe(
    'Mean rating of at most 2.5 within 2 hours',
  );
  expect(say({ kind: 'CHANGE', comparison: 'AT_MOST', threshold: 50 })).toBe(
    'Messages within 2 hours: at least 50 % less than in the 4 weeks before',
  );
  expect(say({ kind: 'SILENCE', metric: null, threshold: null })).toBe('nothing for 2 hours');
  expect(say({ kind: 'SILENCE', metric: null, threshold: 3 })).toBe(
    'nothing for 2 hours and for 3 times its longest usual pause',
  );
  expect(say({ kind: 'MATCH', metric: null, threshold: null })).toBe('each message that fits');
});

test('numbers have their units', () => {
  const format = formats('en-GB');
  const shown = (value: number | null, kind: Condition['kind'], metric: Condition['metric']) =>
    measured(value, { kind, metric }, 'en-GB', format);

  expect(shown(41.4, 'SHARE', 'SHARE')).toBe('41%');
  expect(shown(-0.25, 'AVERAGE', 'SCORE')).toBe('-0.25');
  expect(shown(120, 'SILENCE', null)).toBe('2 hours');
  expect(shown(null, 'MATCH', null)).toBe('–');
});

test('the condition that an alert keeps names sources as the API does', () => {
  const query = {
    kind: 'COUNT',
    metric: 'COUNT',
    share_of: ['NEGATIVE'],
    window_minutes: 60,
    comparison: 'AT_LEAST',
    threshold: 3,
    baseline_weeks: 4,
    filter: { source_ids: ['01a208eb-79f9-7117-b39a-5debe6a32add'], rating_lte: 0 },
  };

  expect(kept(query).filter).toEqual({
    search: null,
    sourceIds: ['source_01a208eb79f97117b39a5debe6a32add'],
    tagIds: null,
    sentiments: null,
    ratingGte: null,
    ratingLte: 0,
  });
});
