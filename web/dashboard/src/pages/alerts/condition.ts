import type { Which } from '../../app/filter/values';
import type { AlertRuleRowFragment } from '../../gql/graphql';
import type { Format } from '../../i18n/format';
import type { Messages } from './messages';

type Full = AlertRuleRowFragment['condition'];

/** What is needed to say what a rule, or an alert that it raised, goes by. */
export type Condition = Pick<
  Full,
  'kind' | 'metric' | 'shareOf' | 'windowMinutes' | 'comparison' | 'threshold' | 'baselineWeeks'
> & { filter: Which };

const UNITS = [
  ['day', 1_440],
  ['hour', 60],
  ['minute', 1],
] as const;

/** Minutes in the largest unit in which they are a whole number: "2 hours". */
export function duration(minutes: number, locale: string): string {
  const [unit, length] = UNITS.find(([, each]) => minutes % each === 0) ?? UNITS[2];
  const format = new Intl.NumberFormat(locale, {
    style: 'unit',
    unit,
    unitDisplay: 'long',
    maximumFractionDigits: 0,
  });
  return format.format(minutes / length);
}

/** When it fires, in words. */
export function told(condition: Condition, t: Messages, locale: string, format: Format): string {
  const { kind, metric, shareOf, windowMinutes, comparison, threshold, baselineWeeks } = condition;
  const isUp = comparison === 'AT_LEAST';
  const window = duration(windowMinutes, locale);
  const limit = format.decimal(threshold ?? 0);
  const feelings = shareOf.map((each) => t.feelings[each]).join(' + ');
  switch (kind) {
    case 'COUNT':
      return t.says.count(isUp, threshold ?? 0, window);
    case 'SHARE':
      return t.says.share(isUp, limit, feelings, window);
    case 'AVERAGE':
      return t.says.average(isUp, t.metrics[metric ?? 'SCORE'], limit, window);
    case 'CHANGE':
      return t.says.change(isUp, t.metrics[metric ?? 'COUNT'], limit, window, format.number(baselineWeeks));
    case 'SILENCE':
      return threshold === null ? t.says.silence(window) : t.says.unusualSilence(limit, window);
    case 'MATCH':
      return t.says.match;
  }
}

/** A number that a rule has looked at, in its unit. */
export function measured(
  value: number | null,
  { kind, metric }: Pick<Condition, 'kind' | 'metric'>,
  locale: string,
  format: Format,
): string {
  if (value === null) return '–';
  if (kind === 'SILENCE') return duration(Math.round(value), locale);
  return metric === 'SHARE' ? format.percent(value / 100) : format.decimal(value);
}

/** As an alert keeps its condition. */
interface Kept {
  kind: Condition['kind'];
  metric: Condition['metric'];
  share_of: Condition['shareOf'];
  window_minutes: number;
  comparison: Condition['comparison'];
  threshold: number | null;
  baseline_weeks: number;
  filter: {
    search?: string;
    source_ids?: string[];
    tag_ids?: string[];
    sentiments?: Condition['shareOf'];
    rating_gte?: number;
    rating_lte?: number;
  };
}

/** The condition that an alert keeps as JSON, in which ids are without their types. */
export function kept(query: unknown): Condition {
  const given = query as Kept;
  const { search, source_ids, tag_ids, sentiments, rating_gte, rating_lte } = given.filter;
  return {
    kind: given.kind,
    metric: given.metric,
    shareOf: given.share_of,
    filter: {
      search: search ?? null,
      sourceIds: typed('source', source_ids),
      tagIds: typed('tag', tag_ids),
      sentiments: sentiments ?? null,
      ratingGte: rating_gte ?? null,
      ratingLte: rating_lte ?? null,
    },
    windowMinutes: given.window_minutes,
    comparison: given.comparison,
    threshold: given.threshold,
    baselineWeeks: given.baseline_weeks,
  };
}

function typed(type: string, ids: readonly string[] | undefined): string[] | null {
  return ids?.map((id) => `${type}_${id.replaceAll('-', '')}`) ?? null;
}
