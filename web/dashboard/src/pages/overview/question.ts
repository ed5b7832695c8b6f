import { graphql } from '../../gql';
import type { Period } from './period';

const SHOWN = 25;

export const OVERVIEW = graphql(`
  query Overview(
    $slug: String!
    $before: DateTime!
    $from: DateTime!
    $to: DateTime!
    $interval: Interval!
    $timeZone: String!
    $first: Int!
  ) {
    workspace(slug: $slug) {
      id
      before: stats(from: $before, to: $from, interval: $interval, timeZone: $timeZone) {
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
      stats(from: $from, to: $to, interval: $interval, timeZone: $timeZone) {
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
      feedbackCursor
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

/** What is asked for of a period. */
export const asked = (slug: string, { before, from, to, interval }: Period, timeZone: string) => ({
  slug,
  before: before.toISOString(),
  from: from.toISOString(),
  to: to.toISOString(),
  interval,
  timeZone,
  first: SHOWN,
});
