import type { ImportPreviewFragment } from '../../gql/graphql';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { Card } from '../../ui/Card';
import { ServerText } from '../../ui/ServerText';
import { Empty } from '../../ui/states';
import { Table } from '../../ui/Table';
import styles from './Found.module.css';
import { type Columns, FIELDS, type ImportField } from './fields';
import { MESSAGES } from './messages';

type Row = ImportPreviewFragment['rows'][number];

const NUMERIC: readonly ImportField[] = ['rating'];

/** The first rows as they would be stored, with the columns that are of any use. */
export function Found({ preview: { rows, mapping } }: { preview: ImportPreviewFragment }) {
  const t = useMessages(MESSAGES);
  const format = useFormat();
  const mapped = FIELDS.filter((field) => (mapping as Partial<Columns>)[field]);

  function said(row: Row, field: ImportField) {
    if (field === 'occurredAt') return row.occurredAt && format.moment(row.occurredAt);
    if (field === 'tags') return row.tags.join(', ');
    if (field === 'metadata') return row.metadata !== null && <code>{JSON.stringify(row.metadata)}</code>;
    return row[field];
  }

  return (
    <Card title={t.preview}>
      {rows.length ? (
        <>
          <p>{t.previewText}</p>
          <Table
            caption={t.preview}
            rows={rows}
            id={({ row }) => String(row)}
            columns={[
              { key: 'row', title: t.row, cell: ({ row }) => t.rowNumber(row) },
              ...mapped.map((field) => ({
                key: field,
                title: t.fields[field],
                numeric: NUMERIC.includes(field),
                cell: (row: Row) => <span className={styles.cell}>{said(row, field) || '–'}</span>,
              })),
            ]}
          />
        </>
      ) : (
        <Empty icon="warning" title={t.noRows}>
          {t.noRowsText}
        </Empty>
      )}
    </Card>
  );
}

/** What is wrong with rows, of which some are enough to see why. */
export function ProblemTable({ problems }: { problems: ImportPreviewFragment['problems'] }) {
  const t = useMessages(MESSAGES);
  const rows = problems.filter(({ row }) => row !== null);
  if (!rows.length) return null;
  return (
    <Card title={t.problems}>
      <p>{t.problemsText}</p>
      <Problems rows={rows.map((each) => ({ ...each, row: String(each.row) }))} />
    </Card>
  );
}

interface Refused {
  row: string;
  column: string;
  reason: string;
  original: string | null;
}

export function Problems({ rows }: { rows: readonly Refused[] }) {
  const t = useMessages(MESSAGES);
  return (
    <Table
      caption={t.problems}
      rows={rows}
      id={({ row }) => row}
      columns={[
        { key: 'row', title: t.row, cell: ({ row }) => t.rowNumber(Number(row)) },
        { key: 'column', title: t.column, cell: ({ column }) => column || '–' },
        { key: 'reason', title: t.reason, cell: ({ reason }) => <ServerText>{reason}</ServerText> },
        {
          key: 'original',
          title: t.original,
          cell: ({ original }) =>
            original && (
              <details>
                <summary>{t.show}</summary>
                <pre className={styles.original}>{original}</pre>
              </details>
            ),
        },
      ]}
    />
  );
}
