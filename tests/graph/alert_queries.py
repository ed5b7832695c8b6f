"""Operations on alerts that tests share."""

RULE = """
    id name kind enabled lastFiredAt createdById
    condition {
      kind metric shareOf windowMinutes comparison threshold resolveThreshold minimumSample
      minimumChange baselineWeeks coolDownMinutes timeZone notifyResolved
      quietHours { from to }
      filter { search sourceIds tagIds sentiments ratingGte ratingLte }
    }
    channels { admins userIds webhookUrl slackUrl }
"""
REFUSAL = "... on Problem { message } ... on InvalidInput { fields { path message } }"
CREATE = f"""
    mutation($input: CreateAlertRuleInput!) {{
      result: createAlertRule(input: $input) {{
        __typename ... on CreateAlertRuleSuccess {{ alertRule {{ {RULE} }} }} {REFUSAL}
      }}
    }}
"""
UPDATE = f"""
    mutation($input: UpdateAlertRuleInput!) {{
      result: updateAlertRule(input: $input) {{
        __typename ... on UpdateAlertRuleSuccess {{ alertRule {{ {RULE} }} }} {REFUSAL}
      }}
    }}
"""
DELETE = f"""
    mutation($input: DeleteAlertRuleInput!) {{
      result: deleteAlertRule(input: $input) {{
        __typename ... on DeleteAlertRuleSuccess {{ alertRuleId }} {REFUSAL}
      }}
    }}
"""
TEST = f"""
    mutation($input: TestAlertChannelsInput!) {{
      result: testAlertChannels(input: $input) {{
        __typename ... on TestAlertChannelsSuccess {{ jobs {{ kind status }} }} {REFUSAL}
      }}
    }}
"""
PREVIEW = f"""
    mutation($input: PreviewAlertRuleInput!) {{
      result: previewAlertRule(input: $input) {{
        __typename
        ... on PreviewAlertRuleSuccess {{
          start end stepMinutes checks firings {{ firedAt resolvedAt value baseline }}
        }}
        {REFUSAL}
      }}
    }}
"""
ALERT = """
    id name kind state firedAt resolvedAt value threshold baseline windowStart windowEnd query
    messages { event channel to status at error }
    rule { id }
    samples { body }
"""
ALERTS = f"""
    query($slug: String!, $first: Int, $after: String, $state: AlertState) {{
      workspace(slug: $slug) {{
        alertRules {{ {RULE} alerts(first: $first) {{ nodes {{ id }} }} }}
        alerts(first: $first, after: $after, state: $state) {{
          nodes {{ {ALERT} }} pageInfo {{ hasNextPage endCursor }}
        }}
      }}
    }}
"""
RAISED = """
    subscription($workspace: ID!, $after: String) {
      alertRaised(workspaceId: $workspace, after: $after) {
        __typename
        ... on AlertEvent { cursor type alert { state name value rule { name } samples { body } } }
        ... on StreamGap { cursor }
      }
    }
"""
