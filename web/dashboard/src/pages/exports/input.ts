import { filterIn } from '../../app/filter/values';
import type { ExportFormat, ExportPeriod, FeedbackFilter } from '../../gql/graphql';
import type { Values } from '../../ui/Form';

export const FORMATS: readonly ExportFormat[] = ['CSV', 'NDJSON', 'PARQUET', 'PDF'];
export const PERIODS: readonly ExportPeriod[] = ['DAY', 'WEEK', 'MONTH'];

/** What to export: the days are the reader's, and the last one is included. */
export function exportIn(values: Values): { format: ExportFormat; filter: FeedbackFilter } {
  const from = values.maybe('from');
  const to = values.maybe('to');
  return {
    format: values.text('format') as ExportFormat,
    filter: {
      ...filterIn(values, 'filter.'),
      ...(from && { occurredAfter: midnight(from).toISOString() }),
      ...(to && { occurredBefore: midnight(to, 1).toISOString() }),
    },
  };
}

/** What to export again and again, and whom to mail it to. */
export function scheduleIn(values: Values) {
  return {
    name: values.text('name'),
    format: values.text('format') as ExportFormat,
    period: values.text('period') as ExportPeriod,
    hour: values.number('hour') ?? 0,
    timeZone: values.text('timeZone'),
    filter: filterIn(values, 'filter.'),
    memberIds: values.all('memberIds'),
  };
}

/** The plan that makes a scheduled export has a name that says which one it is for. */
export const planOf = (exportScheduleId: string) => `export ${exportScheduleId.replace('export_schedule_', '')}`;

/** What an export's job tells when it is done. */
export interface Made {
  rows: number;
  /** In bytes. */
  size: number;
  file_id: string;
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;

/** A size as people say it: "965 kB". */
export function sized(bytes: number, locale: string): string {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), UNITS.length - 1);
  const unit = UNITS[power] ?? 'byte';
  const format = new Intl.NumberFormat(locale, { style: 'unit', unit, maximumFractionDigits: power > 1 ? 1 : 0 });
  return format.format(bytes / 1_000 ** power);
}

function midnight(text: string, later = 0): Date {
  const [year = 0, month = 1, date = 1] = text.split('-').map(Number);
  return new Date(year, month - 1, date + later);
}
