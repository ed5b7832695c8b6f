import { useQuery } from 'urql';
import { Title } from '../../app/Title';
import { graphql } from '../../gql';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { Badge } from '../../ui/Actions';
import { Card } from '../../ui/Card';
import { Moment } from '../../ui/Moment';
import { Empty, Failed, Loading } from '../../ui/states';
import { Table } from '../../ui/Table';
import { Status } from './Job';
import { MESSAGES } from './messages';

const SCHEDULES = graphql(`
  query Schedules {
    schedules {
      id
      name
      kind
      cron
      everySeconds
      timeZone
      missed
      enabled
      lastRunAt
      nextRunAt
      lastJob {
        id
        status
        progress
      }
    }
  }
`);

export default function Schedules() {
  const t = useMessages(MESSAGES);
  const format = useFormat();
  const [{ data, error }, ask] = useQuery({ query: SCHEDULES, requestPolicy: 'cache-and-network' });
  return (
    <>
      <Title>{t.schedules}</Title>
      {data ? (
        <Card>
          {data.schedules.length ? (
            <Table
              caption={t.schedules}
              rows={data.schedules}
              id={({ id }) => id}
              columns={[
                { key: 'name', title: t.name, cell: ({ name }) => name },
                { key: 'kind', title: t.kind, cell: ({ kind }) => <code>{kind}</code> },
                {
                  key: 'when',
                  title: t.when,
                  cell: ({ cron, everySeconds, timeZone }) =>
                    cron ? `${cron} (${timeZone})` : t.every(format.number(everySeconds ?? 0)),
                },
                { key: 'missed', title: t.missed, cell: ({ missed }) => t.missedRuns[missed] },
                {
                  key: 'last',
                  title: t.lastRun,
                  cell: ({ lastRunAt, lastJob }) => (
                    <>
                      {lastRunAt ? <Moment at={lastRunAt} /> : '–'} {lastJob && <Status {...lastJob} />}
                    </>
                  ),
                },
                {
                  key: 'next',
                  title: t.nextRun,
                  cell: ({ enabled, nextRunAt }) => (enabled ? format.moment(nextRunAt) : <Badge>{t.paused}</Badge>),
                },
              ]}
            />
          ) : (
            <Empty icon="clock" title={t.noSchedules}>
              {t.noSchedulesText}
            </Empty>
          )}
        </Card>
      ) : error ? (
        <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />
      ) : (
        <Loading lines={6} />
      )}
    </>
  );
}
