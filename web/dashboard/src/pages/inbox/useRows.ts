import { useCallback, useEffect, useRef, useState } from 'react';
import { type CombinedError, type OperationResult, useClient } from 'urql';
import { filter, pipe, subscribe, take } from 'wonka';
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
      feedbackCursor
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
  // What is told while a page is asked for may not be in it yet.
  const meanwhile = useRef<FeedbackChange[]>([]);
  const shown = useRef<State>(state);
  shown.current = state;

  const before = useRef<Promise<unknown>>(Promise.resolve());
  const stop = useRef(() => {});
  const fetched = useCallback(
    (after: string | null) => {
      const variables = { slug, filter: asFilter(conditions), orderBy: conditions.order, first: FIRST, after };
      const asked = client.query(INBOX_PAGE, variables, { requestPolicy: 'network-only' });
      // The client answers what is asked twice at a time with what was asked first.
      const answer = before.current.then(
        () =>
          new Promise<OperationResult<InboxPageQuery>>((done) => {
            stop.current = pipe(
              asked,
              filter(({ stale }) => !stale),
              take(1),
              subscribe(done),
            ).unsubscribe;
          }),
      );
      before.current = answer;
      return answer;
    },
    [client, slug, conditions],
  );

  const load = useCallback(
    async (after: string | null) => {
      turn.current += 1;
      const mine = turn.current;
      isFetching.current = true;
      meanwhile.current = [];
      setState((now) => ({ ...now, isLoading: true, error: undefined }));
      const { data, error } = await fetched(after);
      if (mine !== turn.current) return;
      isFetching.current = false;
      const page = data?.workspace?.feedback;
      const told = meanwhile.current;
      setState((now) => {
        if (!page) return { ...now, error, isLoading: false };
        const rows = extended(after ? now.rows : NONE, page.nodes);
        const isIn = belonging(conditions, page.pageInfo, rows);
        return {
          rows: changed(rows, told, isIn),
          end: page.pageInfo,
          error: undefined,
          isLoading: false,
        };
      });
    },
    [fetched, conditions],
  );

  const again = useCallback(() => void load(null), [load]);
  useEffect(
    () => () => {
      turn.current += 1;
      stop.current();
      before.current = Promise.resolve();
    },
    [],
  );
  useEffect(again, [again]);
  const searching = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(searching.current), []);
  /** Takes what the server has newly found as if it had been told. */
  const search = useCallback(() => {
    searching.current ??= setTimeout(async () => {
      const { data } = await fetched(null);
      searching.current = undefined;
      const found = data?.workspace?.feedback.nodes;
      if (found) setState((now) => ({ ...now, rows: changed(now.rows, found.map(asChange), () => true) }));
      else search();
    }, SEARCHED_AFTER);
  }, [fetched]);

  const onChanges = useCallback(
    (changes: readonly FeedbackChange[]) => {
      if (isFetching.current) meanwhile.current = [...meanwhile.current, ...changes];
      setState((now) => ({ ...now, rows: changed(now.rows, changes, belonging(conditions, now.end, now.rows)) }));
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

/** Whether something belongs into a list that goes on like that; words are found by the server. */
function belonging(conditions: Conditions, end: Page['pageInfo'] | undefined, { shown }: Rows) {
  const last = end?.hasNextPage && conditions.order === 'NEWEST_FIRST' ? shown.at(-1) : undefined;
  return (row: Row) => !conditions.search && fits(conditions, row) && !isBeyond(row, last);
}

const asChange = (feedback: Row): FeedbackChange => ({
  __typename: 'FeedbackEvent',
  cursor: '',
  type: 'UPDATED',
  feedback,
});
