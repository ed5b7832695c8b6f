import type { ReactNode } from 'react';
import styles from './Table.module.css';

export interface Column<Row> {
  /** Unique in the table. */
  key: string;
  title: string;
  cell: (row: Row) => ReactNode;
  /** Numbers stand at the end. */
  numeric?: boolean;
}

interface Props<Row> {
  /** What it is a table of; read out, not shown. */
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  id: (row: Row) => string;
}

/** A table; the first column names the row. On a phone each row is a card with its columns' titles. */
export function Table<Row>({ caption, columns, rows, id }: Props<Row>) {
  return (
    <div className={styles.frame}>
      {/* Roles are named because `display: block` takes them away on a phone. */}
      {/* biome-ignore-start lint/a11y/noRedundantRoles: see above */}
      <table className={styles.table} role="table">
        <caption className="unseen">{caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map(({ key, title, numeric }) => (
              <th key={key} scope="col" role="columnheader" data-numeric={numeric || undefined}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr key={id(row)} role="row">
              {columns.map(({ key, title, cell, numeric }, index) =>
                index === 0 ? (
                  <th key={key} scope="row" role="rowheader">
                    {cell(row)}
                  </th>
                ) : (
                  <td key={key} role="cell" data-title={title} data-numeric={numeric || undefined}>
                    {cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {/* biome-ignore-end lint/a11y/noRedundantRoles: see above */}
    </div>
  );
}
