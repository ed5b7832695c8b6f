import type { FeedbackFilter, FeedbackStatus, SentimentLabel } from '../../gql/graphql';
import type { Values } from '../../ui/Form';

/** Which feedback, as alert rules, exports and their schedules say it; its times are said elsewhere. */
export type Which = {
  readonly [Name in 'search' | 'sourceIds' | 'tagIds' | 'sentiments' | 'ratingGte' | 'ratingLte' | 'statuses']?:
    | FeedbackFilter[Name]
    | null;
};

export const SENTIMENTS: readonly SentimentLabel[] = ['POSITIVE', 'NEUTRAL', 'NEGATIVE'];
export const STATUSES: readonly FeedbackStatus[] = ['OPEN', 'IN_PROGRESS', 'CLOSED'];

/** What `<FilterFields path>` were filled with; what was left empty is not in it. */
export function filterIn(values: Values, path: string): FeedbackFilter {
  const search = values.text(`${path}search`).trim();
  const sourceIds = values.all(`${path}sourceIds`);
  const tagIds = values.all(`${path}tagIds`);
  const sentiments = values.all(`${path}sentiments`) as SentimentLabel[];
  const statuses = values.all(`${path}statuses`) as FeedbackStatus[];
  const ratingGte = values.number(`${path}ratingGte`);
  const ratingLte = values.number(`${path}ratingLte`);
  return {
    ...(search && { search }),
    ...(sourceIds.length && { sourceIds }),
    ...(tagIds.length && { tagIds }),
    ...(sentiments.length && { sentiments }),
    ...(statuses.length && { statuses }),
    ...(ratingGte !== undefined && { ratingGte }),
    ...(ratingLte !== undefined && { ratingLte }),
  };
}
