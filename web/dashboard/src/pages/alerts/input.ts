import { filterIn } from '../../app/filter/values';
import type {
  AlertChannelsInput,
  AlertComparison,
  AlertConditionInput,
  AlertKind,
  AlertMetric,
  SentimentLabel,
} from '../../gql/graphql';
import type { Problem } from '../../graph/problems';
import type { Values } from '../../ui/Form';

export const KINDS: readonly AlertKind[] = ['COUNT', 'SHARE', 'AVERAGE', 'CHANGE', 'SILENCE', 'MATCH'];

/** What each kind can count in its windows, the usual one first. */
export const METRICS: Record<AlertKind, readonly AlertMetric[]> = {
  COUNT: ['COUNT'],
  SHARE: ['SHARE'],
  AVERAGE: ['SCORE', 'RATING'],
  CHANGE: ['COUNT', 'SHARE', 'SCORE', 'RATING'],
  SILENCE: [],
  MATCH: [],
};

/** What a rule goes by, as the form says it: it has the fields of its kind only. */
export function conditionIn(values: Values): AlertConditionInput {
  const kind = values.text('rule.kind') as AlertKind;
  const metric = values.maybe('rule.metric') as AlertMetric | undefined;
  const shareOf = values.all('rule.shareOf') as SentimentLabel[];
  const from = values.maybe('rule.quietHours.from');
  const to = values.maybe('rule.quietHours.to');
  const comparison = values.maybe('rule.comparison') as AlertComparison | undefined;
  const numbers = {
    windowMinutes: values.number('rule.windowMinutes'),
    threshold: values.number('rule.threshold'),
    resolveThreshold: values.number('rule.resolveThreshold'),
    minimumSample: values.number('rule.minimumSample'),
    minimumChange: values.number('rule.minimumChange'),
    baselineWeeks: values.number('rule.baselineWeeks'),
    coolDownMinutes: values.number('rule.coolDownMinutes'),
  };
  return {
    kind,
    filter: filterIn(values, 'rule.filter.'),
    ...(metric && { metric }),
    ...(shareOf.length && { shareOf }),
    ...(comparison && { comparison }),
    ...Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== undefined)),
    ...((from || to) && { quietHours: { from: from ?? '', to: to ?? '' } }),
    timeZone: values.text('rule.timeZone'),
    notifyResolved: values.is('rule.notifyResolved'),
  };
}

/** Whom it tells. */
export function channelsIn(values: Values): AlertChannelsInput {
  return {
    admins: values.is('channels.admins'),
    memberIds: values.all('channels.memberIds'),
    webhookUrl: values.maybe('channels.webhookUrl') ?? null,
    slackUrl: values.maybe('channels.slackUrl') ?? null,
  };
}

const FILTER = 'rule.filter';

/** What is wrong with the filter as a whole is said beside its first field. */
export function placed(problem: Problem | undefined): Problem | undefined {
  const { [FILTER]: whole, ...fields } = problem?.fields ?? {};
  if (!problem || whole === undefined) return problem;
  return { ...problem, fields: { ...fields, [`${FILTER}.search`]: whole, [`${FILTER}.sourceIds`]: whole } };
}
