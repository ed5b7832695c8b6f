/** What a program of a partner's asks, to be tried and taken from: each with what its key must be allowed. */
export interface Operation {
  key: 'submit' | 'batch' | 'page' | 'totals' | 'live' | 'limits';
  scope: string;
  query: string;
  variables: (given: { workspaceId: string; slug: string; now: Date; sample: string }) => Record<string, unknown>;
}

const MONTH = 30 * 86_400_000;

export const OPERATIONS: readonly Operation[] = [
  {
    key: 'submit',
    scope: 'feedback:write',
    query: `# Sent once more with the same externalId it stores nothing, and answers duplicate: true.
mutation SubmitOne($input: SubmitFeedbackInput!) {
  submitFeedback(input: $input) {
    ... on SubmitFeedbackSuccess { duplicate feedback { id receivedAt } }
    ... on InvalidInput { message fields { path message } }
    ... on Problem { message }
  }
}`,
    variables: ({ workspaceId, sample, now }) => ({
      input: { workspaceId, body: sample, externalId: `order-${now.getTime()}`, author: { name: 'Ada' } },
    }),
  },
  {
    key: 'batch',
    scope: 'feedback:write',
    query: `# Many at once: each is stored or refused by itself.
mutation SubmitMany($input: SubmitFeedbackBatchInput!) {
  submitFeedbackBatch(input: $input) {
    ... on SubmitFeedbackBatchSuccess {
      stored
      duplicates
      results { duplicate feedback { id } message }
    }
    ... on Problem { message }
  }
}`,
    variables: ({ workspaceId, sample }) => ({
      input: {
        workspaceId,
        items: [
          { body: sample, rating: 9 },
          { body: sample, rating: 2 },
        ],
      },
    }),
  },
  {
    key: 'page',
    scope: 'feedback:read',
    query: `# The next page: after = pageInfo.endCursor.
query ReadPage($slug: String!, $after: String) {
  workspace(slug: $slug) {
    feedback(first: 20, after: $after, filter: { sentiments: [NEGATIVE] }) {
      nodes { id body rating occurredAt source { name } tags { name } sentiment { label score } }
      pageInfo { hasNextPage endCursor }
    }
  }
}`,
    variables: ({ slug }) => ({ slug, after: null }),
  },
  {
    key: 'totals',
    scope: 'feedback:read',
    query: `query ReadTotals($slug: String!, $from: DateTime!, $to: DateTime!) {
  workspace(slug: $slug) {
    stats(from: $from, to: $to, interval: WEEK) {
      totals { total positive neutral negative averageScore }
      buckets { start counts { total negative } }
    }
  }
}`,
    variables: ({ slug, now }) => ({
      slug,
      from: new Date(now.getTime() - MONTH).toISOString(),
      to: now.toISOString(),
    }),
  },
  {
    key: 'live',
    scope: 'feedback:read',
    query: `# Give the last cursor as after: when the connection is back, nothing is missing.
subscription Follow($workspaceId: ID!, $after: String) {
  feedbackEvents(workspaceId: $workspaceId, after: $after) {
    ... on FeedbackEvent { cursor type feedback { id body sentiment { label } } }
    ... on StreamGap { cursor }
  }
}`,
    variables: ({ workspaceId }) => ({ workspaceId, after: null }),
  },
  {
    key: 'limits',
    scope: '',
    query: `query WhoAmI {
  viewer { apiKey { name scopes expiresAt } workspaces { id slug } }
  rateLimit { limit remaining resetAt }
}`,
    variables: () => ({}),
  },
];
