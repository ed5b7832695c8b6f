import { useCallback } from 'react';
import { useQuery } from 'urql';
import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { AlertState } from '../../gql/graphql';
import { useAlertEvents } from './operations';

const OF_WORKSPACE = graphql(`
  query Alerts($slug: String!, $state: AlertState, $after: String) {
    workspace(slug: $slug) {
      id
      alerts(first: 20, after: $after, state: $state) {
        ...AlertPage
      }
    }
  }
`);

const OF_RULE = graphql(`
  query AlertsOfRule($id: ID!, $state: AlertState, $after: String) {
    node(id: $id) {
      ... on AlertRule {
        id
        alerts(first: 20, after: $after, state: $state) {
          ...AlertPage
        }
      }
    }
  }
`);

export const ALERT_PAGE = graphql(`
  fragment AlertPage on AlertConnection {
    nodes {
      ...AlertRow
    }
    pageInfo {
      endCursor
      hasNextPage
    }
  }
`);

/** What was raised in the workspace, or by one rule, a page of it: asked for again whenever an alert fires or is over. */
export function useAlerts(ruleId: string | undefined, state: AlertState | null, after: string | null) {
  const { slug } = useWorkspace();
  const requestPolicy = 'cache-and-network';
  const pause = ruleId !== undefined;
  const [all, askAll] = useQuery({
    query: OF_WORKSPACE,
    variables: { slug, state, after },
    pause,
    requestPolicy,
  });
  const [some, askSome] = useQuery({
    query: OF_RULE,
    variables: { id: ruleId ?? '', state, after },
    pause: !pause,
    requestPolicy,
  });
  const again = useCallback(
    () => (ruleId === undefined ? askAll : askSome)({ requestPolicy: 'network-only' }),
    [ruleId, askAll, askSome],
  );
  useAlertEvents(again);
  const node = some.data?.node;
  const page = node?.__typename === 'AlertRule' ? node.alerts : all.data?.workspace?.alerts;
  return { page, error: all.error ?? some.error, again };
}
