import { useState } from 'react';
import { useQuery, useSubscription } from 'urql';
import { Title } from '../../app/Title';
import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import { useMessages } from '../../i18n/catalogue';
import { timeZone } from '../../i18n/format';
import { Card } from '../../ui/Card';
import { Stack } from '../../ui/Stack';
import { Failed, Loading } from '../../ui/states';
import { Days } from './Days';
import { Figures } from './Figures';
import { Groups } from './Groups';
import { MESSAGES } from './messages';
import { Newest } from './Newest';

const DAYS = 30;
const SHOWN = 25;

const OVERVIEW = graphql(`
  query Overview(
    $slug: String!
    $before: DateTime!
    $from: DateTime!
    $to: DateTime!
    $timeZone: String!
    $first: Int!
  ) {
    workspace(slug: $slug) {
      id
      before: stats(from: $before, to: $from, interval: DAY, timeZone: $timeZone) {
        totals {
          ...Counts
        }
        buckets {
          start
          counts {
            total
          }
        }
      }
      stats(from: $from, to: $to, interval: DAY, timeZone: $timeZone) {
        totals {
          ...Counts
        }
        buckets {
          start
          counts {
            total
            negative
            neutral
            positive
            unscored
          }
        }
      }
      feedback(first: $first) {
        nodes {
          ...FeedbackRow
        }
      }
    }
  }
`);

/** The totals of a time. */
export const COUNTS = graphql(`
  fragment Counts on SentimentCounts {
    total
    negative
    neutral
    positive
    unscored
    averageScore
    averageRating
  }
`);

const TOTALS = graphql(`
  subscription OverviewTotals($workspaceId: ID!, $from: DateTime!) {
    statsChanged(workspaceId: $workspaceId, from: $from) {
      ...Counts
    }
  }
`);

export default function Overview() {
  const t = useMessages(MESSAGES);
  const { id, slug, name } = useWorkspace();
  const [{ before, from, to }] = useState(lastDays);
  const variables = { slug, before, from, to, timeZone: timeZone(), first: SHOWN };
  const [{ data, error }, ask] = useQuery({ query: OVERVIEW, variables, requestPolicy: 'cache-and-network' });
  const [{ data: changed }] = useSubscription({ query: TOTALS, variables: { workspaceId: id, from } });
  const workspace = data?.workspace;
  const again = () => ask({ requestPolicy: 'network-only' });

  return (
    <>
      <Title>{name}</Title>
      {error && !workspace ? (
        <Failed error={error} retry={again} />
      ) : workspace ? (
        <Stack>
          <Figures counts={changed?.statsChanged ?? workspace.stats.totals} before={workspace.before.totals} />
          <Card title={t.chart}>
            <Days buckets={workspace.stats.buckets} before={workspace.before.buckets} />
          </Card>
          <Groups from={from} to={to} />
          <Card title={t.newest}>
            <Newest nodes={workspace.feedback.nodes} most={SHOWN} onGap={again} />
          </Card>
        </Stack>
      ) : (
        <Loading lines={12} />
      )}
    </>
  );
}

/** From midnight here to the end of today, and as many days before: the same all day long, so that everybody's totals are shared. */
function lastDays() {
  const from = new Date();
  from.setHours(0, 0, 0, 0);
  from.setDate(from.getDate() - DAYS + 1);
  const to = new Date(from);
  to.setDate(to.getDate() + DAYS);
  const before = new Date(from);
  before.setDate(before.getDate() - DAYS);
  return { before: before.toISOString(), from: from.toISOString(), to: to.toISOString() };
}
