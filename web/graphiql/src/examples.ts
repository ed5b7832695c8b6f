// The operations that the tabs start with, in their order.
import analyze from './examples/analyze.graphql';
import live from './examples/live.graphql';
import signIn from './examples/sign_in.graphql';
import stats from './examples/stats.graphql';
import submit from './examples/submit.graphql';
import workspace from './examples/workspace.graphql';

export interface Example {
  query: string;
  variables?: Record<string, unknown>;
}

/** The last 30 whole days in UTC, today included; `to` is exclusive. */
export function lastThirtyDays(now: Date): { from: string; to: string } {
  const today = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate());
  const day = 24 * 60 * 60 * 1000;
  return { from: timestamp(today - 29 * day), to: timestamp(today + day) };
}

export function examples(now: Date): Example[] {
  return [
    { query: signIn },
    { query: workspace, variables: { slug: 'demo', first: 10 } },
    { query: stats, variables: { slug: 'demo', ...lastThirtyDays(now), interval: 'DAY' } },
    { query: live, variables: { workspaceId: '' } },
    {
      query: submit,
      variables: {
        workspaceId: '',
        body: 'The export finally works, and it is fast. The new filters confuse me, though.',
        rating: 4,
      },
    },
    {
      query: analyze,
      variables: {
        texts: [
          'Support answered within minutes. Wonderful!',
          'The invoice page has been down since Monday.',
          'We use it on two machines.',
        ],
      },
    },
  ];
}

function timestamp(time: number): string {
  return new Date(time).toISOString().replace('.000Z', 'Z');
}
