import { useEffect, useRef } from 'react';
import { useQuery } from 'urql';
import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { AlertConditionInput, AlertPreviewFragment } from '../../gql/graphql';
import { useMessages } from '../../i18n/catalogue';
import { timeZone, useFormat } from '../../i18n/format';
import { useLanguage } from '../../i18n/language';
import { Card } from '../../ui/Card';
import { Failed, Loading } from '../../ui/states';
import { Table } from '../../ui/Table';
import { bars, intervalOf } from './chart';
import { measured } from './condition';
import { METRICS } from './input';
import { MESSAGES } from './messages';
import { PreviewChart } from './PreviewChart';

export const PREVIEWED = graphql(`
  fragment AlertPreview on PreviewAlertRuleSuccess {
    start
    end
    stepMinutes
    checks
    firings {
      firedAt
      resolvedAt
      value
      baseline
    }
  }
`);

const STATS = graphql(`
  query AlertPreviewStats(
    $slug: String!
    $from: DateTime!
    $to: DateTime!
    $interval: Interval!
    $timeZone: String!
    $filter: FeedbackFilter
  ) {
    workspace(slug: $slug) {
      id
      stats(from: $from, to: $to, interval: $interval, timeZone: $timeZone, filter: $filter) {
        buckets {
          start
          counts {
            ...Counts
          }
        }
      }
    }
  }
`);

/** More would fill the screen. */
const FEW = 8;

interface Props {
  rule: AlertConditionInput;
  preview: AlertPreviewFragment;
  days: number;
}

/** What a rule looked at, and when it would have fired. */
export function Preview({ rule, preview, days }: Props) {
  const t = useMessages(MESSAGES);
  const format = useFormat();
  const { locale } = useLanguage();
  const { slug } = useWorkspace();
  const { start, end, firings, stepMinutes, checks } = preview;
  const interval = intervalOf(start, end);
  const [{ data, error }, ask] = useQuery({
    query: STATS,
    variables: { slug, from: start, to: end, interval, timeZone: timeZone(), filter: rule.filter ?? null },
  });
  const place = useRef<HTMLDivElement>(null);
  // It is below a long form.
  // biome-ignore lint/correctness/useExhaustiveDependencies: for each that was asked for
  useEffect(() => {
    place.current?.scrollIntoView({ block: 'nearest' });
  }, [preview]);

  const metric = rule.metric ?? METRICS[rule.kind][0] ?? 'COUNT';
  const buckets = data?.workspace?.stats.buckets;
  const say = (value: number | null) => measured(value, { kind: rule.kind, metric }, locale, format);
  const isCompared = rule.kind === 'CHANGE' || rule.kind === 'SILENCE';
  return (
    <div ref={place}>
      <Card title={t.previewing}>
        <p role="status">
          <strong>{t.wouldHave(firings.length, format.number(days))}</strong>{' '}
          {checks > 0 && t.checked(format.number(stepMinutes))}
        </p>
        {buckets ? (
          <PreviewChart
            bars={bars(buckets, end, metric, rule.shareOf ?? ['NEGATIVE'])}
            firings={firings}
            // A number of messages depends on how long is counted, which is another time here.
            threshold={rule.kind === 'SHARE' || rule.kind === 'AVERAGE' ? (rule.threshold ?? null) : null}
            label={`${t.metrics[metric]}, ${t.interval[interval]}`}
          />
        ) : error ? (
          <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />
        ) : (
          <Loading lines={6} />
        )}
        {firings.length > 0 && (
          <details open={firings.length <= FEW}>
            <summary>{t.previewTable}</summary>
            <Table
              caption={t.previewTable}
              rows={firings}
              id={({ firedAt }) => firedAt}
              columns={[
                { key: 'fired', title: t.fired, cell: ({ firedAt }) => format.moment(firedAt) },
                {
                  key: 'over',
                  title: t.over,
                  cell: ({ resolvedAt }) => (resolvedAt ? format.moment(resolvedAt) : t.stillFires),
                },
                { key: 'value', title: t.value, cell: ({ value }) => say(value), numeric: true },
                ...(isCompared
                  ? [
                      {
                        key: 'baseline',
                        title: rule.kind === 'CHANGE' ? t.baseline : t.usual,
                        cell: ({ baseline }: (typeof firings)[number]) => say(baseline),
                        numeric: true,
                      },
                    ]
                  : []),
              ]}
            />
          </details>
        )}
      </Card>
    </div>
  );
}
