import { useState } from 'react';
import { useClient } from 'urql';
import { graphql } from '../../gql';
import type { JobStateFragment } from '../../gql/graphql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Dialog';
import { useOutcome } from '../../ui/outcome';
import { useToast } from '../../ui/toast';
import { useMay } from '../workspace';
import { isOpen } from './JobState';
import { MESSAGES } from './messages';

const RESULT = graphql(`
  query JobResult($id: ID!) {
    job(id: $id) {
      id
      resultUrl
    }
  }
`);

const CANCEL = graphql(`
  mutation CancelOpenJob($input: CancelJobInput!) {
    cancelJob(input: $input) {
      ... on CancelJobSuccess {
        job {
          ...JobState
        }
      }
      ...Refusal
    }
  }
`);

/** Cancel a job that is open; download what one has made, by a link that is asked for then because it does not work for long. */
export function JobActions({ job }: { job: JobStateFragment }) {
  const t = useMessages(MESSAGES);
  const client = useClient();
  const toast = useToast();
  const mayCancel = useMay('ADMIN');
  const cancel = useMutate(CANCEL);
  const say = useOutcome();
  const [asks, setAsks] = useState(false);
  const [isFetching, setFetching] = useState(false);

  async function download() {
    setFetching(true);
    const { data } = await client.query(RESULT, { id: job.id }, { requestPolicy: 'network-only' }).toPromise();
    setFetching(false);
    const url = data?.job?.resultUrl;
    if (url) location.assign(url);
    else toast({ text: t.expired, kind: 'failed' });
  }

  async function end() {
    say(problemIn((await cancel({ input: { jobId: job.id } }))?.cancelJob), t.cancelled);
  }

  return (
    <>
      {job.status === 'SUCCEEDED' && (
        <Button icon="import" busy={isFetching} onClick={() => void download()}>
          {t.download}
        </Button>
      )}
      {isOpen(job) && mayCancel && <Button onClick={() => setAsks(true)}>{t.cancel}</Button>}
      {asks && (
        <Confirm title={t.cancelTitle} action={t.cancel} onConfirm={end} onClose={() => setAsks(false)}>
          {t.cancelText}
        </Confirm>
      )}
    </>
  );
}
