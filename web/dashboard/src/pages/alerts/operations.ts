import { useEffect } from 'react';
import { useSubscription } from 'urql';
import { useSession } from '../../app/session';
import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import { returned } from '../../live/returned';

export const RULE = graphql(`
  fragment AlertRuleRow on AlertRule {
    id
    name
    kind
    enabled
    lastFiredAt
    condition {
      kind
      metric
      shareOf
      filter {
        search
        sourceIds
        tagIds
        sentiments
        ratingGte
        ratingLte
      }
      windowMinutes
      comparison
      threshold
      resolveThreshold
      minimumSample
      minimumChange
      baselineWeeks
      coolDownMinutes
      quietHours {
        from
        to
      }
      timeZone
      notifyResolved
    }
    channels {
      admins
      userIds
      webhookUrl
      slackUrl
    }
  }
`);

export const ALERT = graphql(`
  fragment AlertRow on Alert {
    id
    name
    kind
    state
    firedAt
    resolvedAt
    value
    threshold
    baseline
    windowStart
    windowEnd
    query
  }
`);

const RAISED = graphql(`
  subscription AlertRaised($workspaceId: ID!, $after: String) {
    alertRaised(workspaceId: $workspaceId, after: $after) {
      ... on AlertEvent {
        cursor
        type
        alert {
          ...AlertRow
        }
      }
      ... on StreamGap {
        cursor
      }
    }
  }
`);

/** Hears of every alert that fires or is over, which is in the cache by then, or may have; the function must be stable. */
export function useAlertEvents(onEvent: () => void) {
  const { id } = useWorkspace();
  const { socket } = useSession();
  useEffect(() => returned(socket, onEvent), [socket, onEvent]);
  const [{ data }] = useSubscription({ query: RAISED, variables: { workspaceId: id } });
  useEffect(() => {
    if (data) onEvent();
  }, [data, onEvent]);
}
