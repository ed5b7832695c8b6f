import { useCallback, useDeferredValue, useMemo } from 'react';
import { useQuery, useSubscription } from 'urql';
import { useLocation, useSearch } from 'wouter';
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
import { Periods } from './Periods';
import { iso, read, spanning } from './period';
import { asked, OVERVIEW } from './question';
import { useFollowing } from './useFollowing';

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
  const search = useSearch();
  const [path, go] = useLocation();
  const today = iso(new Date());
  // biome-ignore-start lint/correctness/useExhaustiveDependencies: the same all day long, so that everybody's totals are shared
  const period = useMemo(() => read(search, new Date()), [search, today]);
  const zone = useMemo(timeZone, [today]);
  // biome-ignore-end lint/correctness/useExhaustiveDependencies: see above
  const variables = asked(slug, period, zone);
  const { from, to } = variables;
  const [answer, ask] = useQuery({ query: OVERVIEW, variables, requestPolicy: 'cache-and-network' });
  // Drawn in slices, as the newest are: an answer is a lot at once.
  const { data, error, operation } = useDeferredValue(answer);
  const [told] = useSubscription({ query: TOTALS, variables: { workspaceId: id, from }, pause: !period.isNow });
  // Until the first of a time are told, those of another are there.
  const now = period.isNow && told.operation?.variables.from === from ? told.data?.statsChanged : undefined;
  const again = useCallback(() => ask({ requestPolicy: 'network-only' }), [ask]);
  const workspace = data?.workspace;
  // Until the answer is there, another time's is shown, and called so; to be asked for anew is no reason to fade.
  const answered = operation?.variables;
  const isOther = answered !== undefined && (answered.from !== from || answered.to !== to);
  const shown = isOther ? spanning(new Date(answered.from), new Date(answered.to), new Date()) : period;
  useFollowing(isOther ? undefined : workspace?.stats.totals, now, error, again);
  const look = useCallback((wanted: string) => go(`${path}?${wanted}`), [go, path]);

  return (
    <>
      <Title>{name}</Title>
      {error && !workspace ? (
        <Failed error={error} retry={again} />
      ) : workspace ? (
        <Stack>
          <Figures
            counts={(!isOther && now) || workspace.stats.totals}
            before={workspace.before.totals}
            title={shown.isNow ? t.days(shown.days) : t.between}
          />
          <Card title={t.chart[shown.interval]} actions={<Periods period={period} onChange={look} />}>
            <Days
              period={shown}
              buckets={workspace.stats.buckets}
              before={workspace.before.buckets}
              onChoose={look}
              isBusy={isOther}
            />
          </Card>
          <Groups from={from} to={to} totals={workspace.stats.totals} />
          <Card title={t.newest}>
            <Newest nodes={workspace.feedback.nodes} most={variables.first} onGap={again} />
          </Card>
        </Stack>
      ) : (
        <Loading lines={12} />
      )}
    </>
  );
}
