import { expect, test } from 'vitest';
import { Values } from '../../ui/Form';
import { channelsIn, conditionIn, placed } from './input';

function filled(fields: Record<string, string>) {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  return new Values(data);
}

test('a rule has what its kind has fields for, and no more', () => {
  const values = filled({
    'rule.kind': 'AVERAGE',
    'rule.metric': 'RATING',
    'rule.comparison': 'AT_MOST',
    'rule.threshold': '2.5',
    'rule.resolveThreshold': '',
    'rule.windowMinutes': '120',
    'rule.minimumSample': '20',
    'rule.coolDownMinutes': '0',
    'rule.timeZone': 'Europe/Berlin',
    'rule.notifyResolved': 'on',
  });

  expect(conditionIn(values)).toEqual({
    kind: 'AVERAGE',
    metric: 'RATING',
    comparison: 'AT_MOST',
    threshold: 2.5,
    windowMinutes: 120,
    minimumSample: 20,
    coolDownMinutes: 0,
    timeZone: 'Europe/Berlin',
    notifyResolved: true,
    filter: {},
  });
});

test('a silence is of its source', () => {
  const values = filled({ 'rule.kind': 'SILENCE', 'rule.filter.sourceIds': 'source_1', 'rule.windowMinutes': '60' });

  expect(conditionIn(values)).toMatchObject({
    kind: 'SILENCE',
    filter: { sourceIds: ['source_1'] },
    windowMinutes: 60,
  });
});

test('of quiet hours that are half said, the server says what is missing', () => {
  const values = filled({ 'rule.kind': 'COUNT', 'rule.quietHours.from': '22:00' });

  expect(conditionIn(values).quietHours).toEqual({ from: '22:00', to: '' });
});

test('an address that was taken away is told to be none', () => {
  expect(channelsIn(filled({ 'channels.slackUrl': 'https://hooks.slack.com/…abcd' }))).toEqual({
    admins: false,
    memberIds: [],
    webhookUrl: null,
    slackUrl: 'https://hooks.slack.com/…abcd',
  });
});

test('what is wrong with the filter as a whole is said beside a field', () => {
  const problem = {
    kind: 'InvalidInput',
    message: '',
    fields: { 'rule.filter': 'must have a condition', name: 'is long' },
  };

  expect(Object.keys(placed(problem)?.fields ?? {})).toEqual(['name', 'rule.filter.search', 'rule.filter.sourceIds']);
  expect(placed(undefined)).toBeUndefined();
});
