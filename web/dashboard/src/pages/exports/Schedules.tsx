import { useState } from 'react';
import { useQuery } from 'urql';
import type { Which } from '../../app/filter/values';
import { useFilterWords } from '../../app/filter/words';
import { JobState } from '../../app/job/JobState';
import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { ExportScheduleRowFragment } from '../../gql/graphql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { Actions, Badge } from '../../ui/Actions';
import { Button, IconButton } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Confirm } from '../../ui/Dialog';
import { Moment } from '../../ui/Moment';
import { useOutcome } from '../../ui/outcome';
import { Empty, Failed, Loading } from '../../ui/states';
import { Table } from '../../ui/Table';
import { planOf } from './input';
import { MESSAGES, type Messages } from './messages';
import { ScheduleForm } from './ScheduleForm';

export const SCHEDULE = graphql(`
  fragment ExportScheduleRow on ExportSchedule {
    id
    name
    format
    filter
    period
    hour
    timeZone
    userIds
    enabled
  }
`);

const SCHEDULES = graphql(`
  query ExportSchedules($slug: String!) {
    workspace(slug: $slug) {
      id
      exportSchedules {
        ...ExportScheduleRow
      }
    }
    schedules {
      id
      name
      lastRunAt
      nextRunAt
      lastJob {
        ...JobState
      }
    }
  }
`);

const PAUSE = graphql(`
  mutation PauseExportSchedule($input: UpdateExportScheduleInput!) {
    updateExportSchedule(input: $input) {
      ... on UpdateExportScheduleSuccess {
        exportSchedule {
          ...ExportScheduleRow
        }
      }
      ...Refusal
    }
  }
`);

const DELETE = graphql(`
  mutation DeleteExportSchedule($input: DeleteExportScheduleInput!) {
    deleteExportSchedule(input: $input) {
      ... on DeleteExportScheduleSuccess {
        exportScheduleId
      }
      ...Refusal
    }
  }
`);

/** What is exported and mailed again and again. */
export function Schedules() {
  const t = useMessages(MESSAGES);
  const format = useFormat();
  const { slug } = useWorkspace();
  const which = useFilterWords();
  const pause = useMutate(PAUSE);
  const remove = useMutate(DELETE);
  const say = useOutcome();
  const [form, setForm] = useState<'new' | ExportScheduleRowFragment | undefined>();
  const [ending, setEnding] = useState<ExportScheduleRowFragment | undefined>();
  const [{ data, error }, ask] = useQuery({
    query: SCHEDULES,
    variables: { slug },
    requestPolicy: 'cache-and-network',
  });
  const again = () => ask({ requestPolicy: 'network-only' });
  const schedules = data?.workspace?.exportSchedules;
  const planned = (id: string) => data?.schedules.find(({ name }) => name === planOf(id));

  async function turn(exportScheduleId: string, enabled: boolean) {
    const answer = (await pause({ input: { exportScheduleId, enabled } }))?.updateExportSchedule;
    if (say(problemIn(answer), enabled ? t.wasResumed : t.wasPaused)) again();
  }

  async function end() {
    const answer = (await remove({ input: { exportScheduleId: ending?.id ?? '' } }))?.deleteExportSchedule;
    say(problemIn(answer), t.deleted);
  }

  return (
    <Card
      title={t.schedules}
      actions={
        <Button icon="plus" onClick={() => setForm('new')}>
          {t.schedule}
        </Button>
      }
    >
      {schedules ? (
        schedules.length ? (
          <Table
            caption={t.schedules}
            rows={schedules}
            id={({ id }) => id}
            columns={[
              { key: 'name', title: t.name, cell: ({ name }) => name },
              {
                key: 'what',
                title: t.file,
                cell: (each) => `${each.format} · ${which(each.filter as Which)}`,
              },
              { key: 'when', title: t.when, cell: (each) => when(each, t) },
              { key: 'whom', title: t.whom, cell: ({ userIds }) => t.members(userIds.length) },
              {
                key: 'last',
                title: t.last,
                cell: ({ id }) => <Last at={planned(id)?.lastRunAt ?? null} job={planned(id)?.lastJob ?? null} />,
              },
              {
                key: 'next',
                title: t.next,
                cell: ({ id, enabled }) => {
                  const next = planned(id)?.nextRunAt;
                  if (!enabled) return <Badge>{t.paused}</Badge>;
                  return next ? format.moment(next) : '–';
                },
              },
              {
                key: 'do',
                title: t.do,
                cell: (each) => (
                  <Actions>
                    <Button onClick={() => setForm(each)}>{t.change}</Button>
                    <Button onClick={() => void turn(each.id, !each.enabled)}>
                      {each.enabled ? t.pause : t.resume}
                    </Button>
                    <IconButton icon="trash" label={t.delete} onClick={() => setEnding(each)} />
                  </Actions>
                ),
              },
            ]}
          />
        ) : (
          <Empty icon="clock" title={t.noSchedules}>
            {t.noSchedulesText}
          </Empty>
        )
      ) : error ? (
        <Failed error={error} retry={again} />
      ) : (
        <Loading lines={4} />
      )}
      {form && (
        <ScheduleForm schedule={form === 'new' ? undefined : form} onSaved={again} onClose={() => setForm(undefined)} />
      )}
      {ending && (
        <Confirm
          title={t.deleteTitle(ending.name)}
          action={t.delete}
          onConfirm={end}
          onClose={() => setEnding(undefined)}
        >
          {t.deleteText}
        </Confirm>
      )}
    </Card>
  );
}

function Last({ at, job }: { at: string | null; job: Parameters<typeof JobState>[0]['job'] | null }) {
  const t = useMessages(MESSAGES);
  return at ? (
    <>
      <Moment at={at} /> {job && <JobState job={job} />}
    </>
  ) : (
    t.never
  );
}

function when({ period, hour, timeZone }: ExportScheduleRowFragment, t: Messages): string {
  const words = { DAY: t.everyDay, WEEK: t.everyWeek, MONTH: t.everyMonth };
  return words[period](`${String(hour).padStart(2, '0')}:00`, timeZone);
}
