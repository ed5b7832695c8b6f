import { FilterFields } from '../../app/filter/FilterFields';
import type { Which } from '../../app/filter/values';
import { useUser } from '../../app/session';
import { useChoices } from '../../app/triage';
import { isAtLeast, useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { ExportScheduleRowFragment } from '../../gql/graphql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Dialog } from '../../ui/Dialog';
import { Choices, Field, Form, Select, type Values } from '../../ui/Form';
import { Stack } from '../../ui/Stack';
import { TimeZoneField } from '../../ui/TimeZone';
import { useToast } from '../../ui/toast';
import styles from './Exports.module.css';
import { FORMATS, PERIODS, scheduleIn } from './input';
import { MESSAGES } from './messages';

const CREATE = graphql(`
  mutation CreateExportSchedule($input: CreateExportScheduleInput!) {
    createExportSchedule(input: $input) {
      ... on CreateExportScheduleSuccess {
        exportSchedule {
          ...ExportScheduleRow
        }
      }
      ...Refusal
    }
  }
`);

const UPDATE = graphql(`
  mutation UpdateExportSchedule($input: UpdateExportScheduleInput!) {
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

interface Props {
  /** The one to change; without it a new one is made. */
  schedule: ExportScheduleRowFragment | undefined;
  onSaved: () => void;
  onClose: () => void;
}

export function ScheduleForm({ schedule, onSaved, onClose }: Props) {
  const t = useMessages(MESSAGES);
  const { id: workspaceId } = useWorkspace();
  const user = useUser();
  const { members } = useChoices();
  const create = useMutate(CREATE);
  const update = useMutate(UPDATE);
  const toast = useToast();
  const mailed = schedule?.userIds ?? [user.id];
  // Nobody else could be put on the list.
  const people = members.filter(({ role }) => isAtLeast(role, 'ANALYST'));

  async function save(values: Values) {
    const said = scheduleIn(values);
    const answer = schedule
      ? (await update({ input: { exportScheduleId: schedule.id, ...said } }))?.updateExportSchedule
      : (await create({ input: { workspaceId, ...said } }))?.createExportSchedule;
    const problem = problemIn(answer);
    if (!problem) {
      toast({ text: schedule ? t.saved : t.scheduled });
      onSaved();
      onClose();
    }
    return problem;
  }

  return (
    <Dialog title={schedule ? t.changeTitle(schedule.name) : t.schedule} onClose={onClose}>
      <Form onSubmit={save} submit={schedule ? t.save : t.scheduleIt} problems={{ Conflict: t.tooMany }}>
        <Field name="name" label={t.name} maxLength={200} defaultValue={schedule?.name} required />
        <Select name="format" label={t.format} defaultValue={schedule?.format ?? 'PDF'}>
          {FORMATS.map((format) => (
            <option key={format} value={format}>
              {t.formats[format]}
            </option>
          ))}
        </Select>
        <Select name="period" label={t.period} defaultValue={schedule?.period ?? 'WEEK'}>
          {PERIODS.map((period) => (
            <option key={period} value={period}>
              {t.periods[period]}
            </option>
          ))}
        </Select>
        <Field name="hour" label={t.hour} type="number" min={0} max={23} defaultValue={schedule?.hour ?? 7} required />
        <TimeZoneField name="timeZone" label={t.timeZone} zone={schedule?.timeZone} />
        {people.length > 0 && (
          <Choices
            name="memberIds"
            label={t.whom}
            chosen={people.filter((each) => mailed.includes(each.user.id)).map(({ id }) => id)}
            options={people.map(({ id, user: { name } }) => ({ value: id, label: name }))}
          />
        )}
        <details className={styles.some}>
          <summary>{t.which}</summary>
          <Stack>
            <FilterFields path="filter." which={schedule?.filter as Which | undefined} />
          </Stack>
        </details>
      </Form>
    </Dialog>
  );
}
