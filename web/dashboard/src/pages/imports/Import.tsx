import { useState } from 'react';
import { useQuery } from 'urql';
import { Link, useLocation, useParams, useSearch } from 'wouter';
import { isOpen, JobState } from '../../app/job/JobState';
import { Title } from '../../app/Title';
import { useMay, useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { Actions } from '../../ui/Actions';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Confirm } from '../../ui/Dialog';
import { useOutcome } from '../../ui/outcome';
import { Progress } from '../../ui/Progress';
import { Stack } from '../../ui/Stack';
import { Empty, Failed, Loading } from '../../ui/states';
import { counted } from './fields';
import styles from './Import.module.css';
import { MESSAGES } from './messages';
import { Refused } from './Refused';
import { Undoing } from './Undoing';
import { useLogged } from './useLogged';

const ONE = graphql(`
  query OneImport($id: ID!) {
    job(id: $id) {
      ...ImportRow
    }
  }
`);

const CANCEL = graphql(`
  mutation CancelImport($input: CancelJobInput!) {
    cancelJob(input: $input) {
      ... on CancelJobSuccess {
        job {
          ...ImportRow
        }
      }
      ...Refusal
    }
  }
`);

const RETRY = graphql(`
  mutation RetryImport($input: RetryJobInput!) {
    retryJob(input: $input) {
      ... on RetryJobSuccess {
        job {
          ...ImportRow
        }
      }
      ...Refusal
    }
  }
`);

const UNDO = graphql(`
  mutation UndoImport($input: UndoImportInput!) {
    undoImport(input: $input) {
      ... on UndoImportSuccess {
        job {
          ...ImportRow
        }
      }
      ...Refusal
    }
  }
`);

/** One import: how far it has come, what it has stored, what it has refused; and the way back. */
export default function Import() {
  const t = useMessages(MESSAGES);
  const format = useFormat();
  const { slug } = useWorkspace();
  const { jobId = '' } = useParams<{ jobId: string }>();
  const undoing = new URLSearchParams(useSearch()).get('undoing');
  const [path, go] = useLocation();
  const mayManage = useMay('ADMIN');
  const logged = useLogged();
  const cancel = useMutate(CANCEL);
  const retry = useMutate(RETRY);
  const undo = useMutate(UNDO);
  const say = useOutcome();
  const [asks, setAsks] = useState<'cancel' | 'undo' | undefined>();
  const close = () => setAsks(undefined);
  const [{ data, error }, ask] = useQuery({ query: ONE, variables: { id: jobId }, requestPolicy: 'cache-and-network' });
  const job = data?.job?.kind === 'import' ? data.job : undefined;
  const counts = counted(job?.result);
  const undone = logged.undoingOf(jobId);
  const hasEnded = job && !isOpen(job);

  async function end() {
    say(problemIn((await cancel({ input: { jobId } }))?.cancelJob), t.cancelled);
  }

  async function goOn() {
    say(problemIn((await retry({ input: { jobId } }))?.retryJob), t.retried);
  }

  async function takeBack() {
    const result = (await undo({ input: { jobId } }))?.undoImport;
    if (result?.__typename === 'UndoImportSuccess') go(`${path}?undoing=${result.job.id}`, { replace: true });
    else say(problemIn(result), '', { Conflict: t.notEnded });
    logged.again();
  }

  return (
    <>
      <p>
        <Link href={`/w/${slug}/imports`}>{t.title}</Link>
      </p>
      <Title>{job?.subject ?? t.import}</Title>
      {job ? (
        <Stack>
          <Card>
            <JobState job={job} />
            <div className={styles.progress}>{isOpen(job) && <Progress label={t.progress} share={job.progress} />}</div>
            {counts && (
              <dl className={styles.counts} aria-live="off">
                {(['rows', 'stored', 'duplicates', 'refused'] as const).map((each) => (
                  <div key={each} data-kind={each}>
                    <dt>{each === 'rows' ? t.read : t[each]}</dt>
                    <dd>{format.number(counts[each])}</dd>
                  </div>
                ))}
              </dl>
            )}
            {undone && <p>{t.undoneBy(undone.actor.name, format.moment(undone.at))}</p>}
            <Actions>
              {hasEnded && !undone && !undoing && (
                <Link href={`/w/${slug}/inbox`} className={styles.link}>
                  {t.toInbox}
                </Link>
              )}
              {mayManage && isOpen(job) && <Button onClick={() => setAsks('cancel')}>{t.cancel}</Button>}
              {mayManage && hasEnded && job.status !== 'SUCCEEDED' && !undone && (
                <Button onClick={() => void goOn()}>{t.retry}</Button>
              )}
              {mayManage && hasEnded && !undone && !undoing && (
                <Button kind="danger" icon="trash" onClick={() => setAsks('undo')}>
                  {t.undo}
                </Button>
              )}
            </Actions>
          </Card>
          {undoing && <Undoing jobId={undoing} />}
          {hasEnded && counts !== undefined && counts.refused > 0 && <Refused jobId={jobId} total={counts.refused} />}
        </Stack>
      ) : error ? (
        <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />
      ) : data ? (
        <Empty icon="import" title={t.gone} />
      ) : (
        <Loading lines={8} />
      )}
      {asks === 'cancel' && (
        <Confirm title={t.cancelTitle} action={t.cancel} onConfirm={end} onClose={close}>
          {t.cancelText}
        </Confirm>
      )}
      {asks === 'undo' && (
        <Confirm title={t.undoTitle} action={t.undo} onConfirm={takeBack} onClose={close}>
          {t.undoText}
        </Confirm>
      )}
    </>
  );
}
