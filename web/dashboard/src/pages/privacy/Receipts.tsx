import { graphql } from '../../gql';
import type { ReceiptFragment } from '../../gql/graphql';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { Card } from '../../ui/Card';
import { Empty } from '../../ui/states';
import { Table } from '../../ui/Table';
import { MESSAGES } from './messages';
import styles from './Receipts.module.css';

export const RECEIPT = graphql(`
  fragment Receipt on ErasureReceipt {
    id
    at
    mode
    identifiedBy
    identifierHash
    erasedByName
    feedbackCount
    fileCount
    logEntryCount
  }
`);

/** That authors were erased, without saying who they were. */
export function Receipts({ receipts }: { receipts: readonly ReceiptFragment[] }) {
  const t = useMessages(MESSAGES);
  const format = useFormat();
  const known = (by: string) => t.identifiedBy[by as keyof typeof t.identifiedBy] ?? by;
  return (
    <Card title={t.receipts}>
      <p>{t.receiptsText}</p>
      {receipts.length ? (
        <Table
          caption={t.receipts}
          rows={receipts}
          id={({ id }) => id}
          columns={[
            { key: 'when', title: t.when, cell: ({ at }) => format.moment(at) },
            {
              key: 'what',
              title: t.what,
              cell: ({ mode, identifiedBy }) => `${t.done[mode]}, ${known(identifiedBy)}`,
            },
            { key: 'who', title: t.whoDid, cell: ({ erasedByName }) => erasedByName },
            {
              key: 'feedback',
              title: t.feedback,
              cell: ({ feedbackCount }) => format.number(feedbackCount),
              numeric: true,
            },
            { key: 'files', title: t.fileCount, cell: ({ fileCount }) => format.number(fileCount), numeric: true },
            {
              key: 'logs',
              title: t.logCount,
              cell: ({ logEntryCount }) => format.number(logEntryCount),
              numeric: true,
            },
            {
              key: 'hash',
              title: t.hash,
              cell: ({ identifierHash }) => <code className={styles.hash}>{identifierHash}</code>,
            },
          ]}
        />
      ) : (
        <Empty icon="shield" title={t.noReceipts}>
          {t.noReceiptsText}
        </Empty>
      )}
    </Card>
  );
}
