import { useState } from 'react';
import { useQuery } from 'urql';
import { useShellMessages } from '../../app/messages';
import { graphql } from '../../gql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Actions } from '../../ui/Actions';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Moment } from '../../ui/Moment';
import { useOutcome } from '../../ui/outcome';
import { Empty, Failed, Loading } from '../../ui/states';
import { Table } from '../../ui/Table';
import { MESSAGES } from './messages';
import styles from './Quarantine.module.css';

const QUARANTINE = graphql(`
  query Quarantine($id: ID!, $after: String) {
    node(id: $id) {
      ... on Source {
        id
        quarantine(first: 20, after: $after) {
          nodes {
            id
            reason
            problems {
              path
              message
            }
            raw
            times
            receivedAt
          }
          pageInfo {
            endCursor
            hasNextPage
          }
        }
      }
    }
  }
`);

const REPLAY = graphql(`
  mutation ReplayQuarantined($input: ReplayQuarantinedInput!) {
    replayQuarantined(input: $input) {
      ... on ReplayQuarantinedSuccess {
        stored
        duplicates
        failed
        job {
          id
        }
      }
      ...Refusal
    }
  }
`);

interface Props {
  sourceId: string;
  onChange: () => void;
  /** Where the source has a mapping: change it so that it fits what was sent. */
  onMend?: (raw: string) => void;
}

/** What came and is no feedback: to be tried again when its cause is mended. */
export function Quarantine({ sourceId, onChange, onMend }: Props) {
  const t = useMessages(MESSAGES);
  const shell = useShellMessages();
  const replay = useMutate(REPLAY);
  const say = useOutcome();
  const [after, setAfter] = useState<string | null>(null);
  const [{ data, error, fetching }, ask] = useQuery({
    query: QUARANTINE,
    variables: { id: sourceId, after },
    requestPolicy: 'cache-and-network',
  });
  const kept = data?.node?.__typename === 'Source' ? data.node.quarantine : undefined;
  const again = () => {
    setAfter(null);
    ask({ requestPolicy: 'network-only' });
  };

  async function repeat(ids?: string[]) {
    const answer = (await replay({ input: { sourceId, ...(ids && { ids }) } }))?.replayQuarantined;
    const done =
      answer?.__typename === 'ReplayQuarantinedSuccess' && !answer.job
        ? t.replayed(answer.stored, answer.duplicates, answer.failed)
        : t.replayedByJob;
    say(problemIn(answer), done);
    again();
    onChange();
  }

  return (
    <Card
      title={t.quarantine}
      actions={kept && kept.nodes.length > 0 && <Button onClick={() => void repeat()}>{t.replayAll}</Button>}
    >
      {kept ? (
        kept.nodes.length ? (
          <>
            <Table
              caption={t.quarantine}
              rows={kept.nodes}
              id={({ id }) => id}
              columns={[
                {
                  key: 'reason',
                  title: t.reason,
                  cell: ({ reason, problems }) => (
                    <>
                      {reason}
                      {problems.map(({ path, message }) => (
                        <div key={path.join('.')}>
                          <code>{path.join('.')}</code> {message}
                        </div>
                      ))}
                    </>
                  ),
                },
                {
                  key: 'raw',
                  title: t.raw,
                  cell: ({ raw }) => (
                    <details>
                      <summary>{t.show}</summary>
                      <pre className={styles.raw}>{raw}</pre>
                    </details>
                  ),
                },
                { key: 'times', title: t.times, cell: ({ times }) => times, numeric: true },
                { key: 'at', title: t.received, cell: ({ receivedAt }) => <Moment at={receivedAt} /> },
                {
                  key: 'actions',
                  title: t.do,
                  cell: ({ id, raw }) => (
                    <Actions>
                      {onMend && <Button onClick={() => onMend(raw)}>{t.mend}</Button>}
                      <Button onClick={() => void repeat([id])}>{t.replay}</Button>
                    </Actions>
                  ),
                },
              ]}
            />
            {kept.pageInfo.hasNextPage && (
              <Button busy={fetching} onClick={() => setAfter(kept.pageInfo.endCursor ?? null)}>
                {shell.more}
              </Button>
            )}
          </>
        ) : (
          <Empty icon="check" title={t.noQuarantine}>
            {t.noQuarantineText}
          </Empty>
        )
      ) : error ? (
        <Failed error={error} retry={again} />
      ) : (
        <Loading lines={5} />
      )}
    </Card>
  );
}
