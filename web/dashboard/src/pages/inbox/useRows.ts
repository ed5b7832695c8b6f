import { useCallback, useEffect, useRef, useState } from 'react';
import { type CombinedError, useClient } from 'urql';
import { useFeedbackEvents, useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { InboxPageQuery } from '../../gql/graphql';
import type { FeedbackChange } from '../../live/feed';
import { asFilter, type Conditions, fits } from './conditions';
import { changed, extended, isBeyond, NONE, type Row, type Rows, revealed } from './rows';

const INBOX_PAGE = graphql(`
  query InboxPage($slug: String!, $filter: FeedbackFilter!, $orderBy: FeedbackOrder!, $first: Int!, $after: String) {
    workspace(slug: $slug) {
      id
      feedback(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
        nodes {
          ...FeedbackRow
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`);

const FIRST = 50;
/** Words are found by the server, which is not asked for each of two hundred events a second. */
const SEARCHED_AFTER = 1_500;

type Page = NonNullable<InboxPageQuery['workspace']>['feedback'];

interface State {
  rows: Rows;
  end: Page['pageInfo'] | undefined;
  error: CombinedError | undefined;
  isLoading: boolean;
}

const BEGUN: State = { rows: NONE, end: undefined, error: undefined, isLoading: true };

/** The feedback under these conditions, page by page, and what happens to it; the caller gives it a key for each. */
export function useRows(conditions: Conditions) {
  const client = useClient();
  const { slug } = useWorkspace();
  const [state, setState] = useState(BEGUN);
  const turn = useRef(0);
  const isFetching = useRef(false);
  const shown = useRef<State>(state);
  shown.current = state;

  const fetched = useCallback(
    async (after: string | null) => {
      const variables = { slug, filter: asFilter(conditions), orderBy: conditions.order, first: FIRST, after };
      return client.query(INBOX_PAGE, variables, { requestPolicy: 'network-only' }).toPromise();
    },
    [client, slug, conditions],
  );

  const load = useCallback(
    async (after: string | null) => {
      turn.current += 1;
      const mine = turn.current;
      isFetching.current = true;
      setState((now) => ({ ...now, isLoading: true, error: undefined }));
      const { data, error } = await fetched(after);
      if (mine !== turn.current) return;
      isFetching.current = false;
      const page = data?.workspace?.feedback;
      setState((now) =>
        page
          ? {
              rows: extended(after ? now.rows : NONE, page.nodes),
              end: page.pageInfo,
              error: undefined,
              isLoading: false,
            }
          : { ...now, error, isLoading: false },
      );
    },
    [fetched],
  );

  const again = useCallback(() => void load(null), [load]);
  useEffect(again, [again]);
  useEffect(
    () => () => {
      turn.current += 1;
    },
    [],
  );

  const searching = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(searching.current), []);
  /** Takes what the server has newly found as if it had been told. */
  const search = useCallback(() => {
    searching.current ??= setTimeout(async () => {
      const { data } = await fetched(null);
      searching.current = undefined;
      const found = data?.workspace?.feedback.nodes ?? [];
      setState((now) => ({ ...now, rows: changed(now.rows, found.map(asChange), () => true) }));
    }, SEARCHED_AFTER);
  }, [fetched]);

  const onChanges = useCallback(
    (changes: readonly FeedbackChange[]) => {
      const isPaged = conditions.order === 'NEWEST_FIRST';
      setState((now) => {
        // Before the first page is there, everything that comes is taken to be in it or to be told again.
        const last = now.end?.hasNextPage && isPaged ? now.rows.shown.at(-1) : undefined;
        const belongs = (row: Row) => !conditions.search && fits(conditions, row) && !isBeyond(row, last);
        return { ...now, rows: changed(now.rows, changes, belongs) };
      });
      if (conditions.search) search();
    },
    [conditions, search],
  );
  useFeedbackEvents(onChanges, again);

  return {
    ...state,
    again,
    more: useCallback(() => {
      const { end, error } = shown.current;
      if (end?.hasNextPage && !isFetching.current && !error) void load(end.endCursor);
    }, [load]),
    /** Puts what waited where it belongs. */
    reveal: useCallback(() => {
      if (conditions.order === 'NEWEST_FIRST') setState((now) => ({ ...now, rows: revealed(now.rows) }));
      else again();
    }, [conditions, again]),
    /** What a mutation has answered. */
    put: useCallback((rows: readonly Row[]) => {
      setState((now) => ({ ...now, rows: changed(now.rows, rows.map(asChange), () => false) }));
    }, []),
  };
}

const asChange = (feedback: Row): FeedbackChange => ({
  __typename: 'FeedbackEvent',
  cursor: '',
  type: 'UPDATED',
  feedback,
});
