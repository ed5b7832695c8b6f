import { useEffect, useState } from 'react';
import { useClient } from 'urql';
import { graphql } from '../../gql';
import { useMessages } from '../../i18n/catalogue';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Loading } from '../../ui/states';
import { useToast } from '../../ui/toast';
import { beginning, records } from './csv';
import { Problems } from './Found';
import { MESSAGES } from './messages';

const REFUSED = graphql(`
  query RefusedRows($id: ID!) {
    job(id: $id) {
      id
      resultUrl
    }
  }
`);

const SHOWN = 20;
/** Of the file: a row is written with its first 1,000 characters at most. */
const LOOKED_AT = 64 * 2 ** 10;

/** What the import did not take, and why: the first rows here, all of them as a file. */
export function Refused({ jobId, total }: { jobId: string; total: number }) {
  const t = useMessages(MESSAGES);
  const toast = useToast();
  const client = useClient();
  const [rows, setRows] = useState<string[][] | 'gone' | undefined>();

  useEffect(() => {
    let isCurrent = true;
    void client
      .query(REFUSED, { id: jobId }, { requestPolicy: 'network-only' })
      .toPromise()
      .then(({ data }) => beginning(data?.job?.resultUrl ?? '', LOOKED_AT))
      .then(
        (text) => isCurrent && setRows(records(text, SHOWN + 1).slice(1)),
        () => isCurrent && setRows('gone'),
      );
    return () => {
      isCurrent = false;
    };
  }, [client, jobId]);

  async function download() {
    const { data } = await client.query(REFUSED, { id: jobId }, { requestPolicy: 'network-only' }).toPromise();
    if (data?.job?.resultUrl) location.assign(data.job.resultUrl);
    else toast({ text: t.noFile, kind: 'failed' });
  }

  return (
    <Card
      title={t.refusedRows}
      actions={
        rows !== 'gone' && (
          <Button icon="import" onClick={() => void download()}>
            {t.downloadRefused}
          </Button>
        )
      }
    >
      {rows === undefined ? (
        <Loading lines={4} />
      ) : rows === 'gone' ? (
        <p>{t.noFile}</p>
      ) : (
        <>
          {rows.length < total && <p>{t.firstRefused(rows.length)}</p>}
          <Problems
            rows={rows.map(([row = '', column = '', reason = '', original = '']) => ({
              row,
              column,
              reason,
              original,
            }))}
          />
        </>
      )}
    </Card>
  );
}
