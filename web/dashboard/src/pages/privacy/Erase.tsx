import { useEffect, useRef, useState } from 'react';
import { isOpen, JobState } from '../../app/job/JobState';
import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { ErasureMode, JobStateFragment } from '../../gql/graphql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Card } from '../../ui/Card';
import { Confirm } from '../../ui/Dialog';
import { Form, Select, type Values } from '../../ui/Form';
import { Moment } from '../../ui/Moment';
import { Table } from '../../ui/Table';
import { AuthorFields } from './AuthorFields';
import { type Author, authorIn, named } from './author';
import { MESSAGES } from './messages';

const ERASE = graphql(`
  mutation EraseAuthor($input: EraseAuthorInput!) {
    eraseAuthor(input: $input) {
      ... on EraseAuthorSuccess {
        job {
          ...JobState
        }
      }
      ...Refusal
    }
  }
`);

type Problem = ReturnType<typeof problemIn>;

interface Asked {
  author: Author;
  mode: ErasureMode;
  /** Tells the form what became of it. */
  answer: (problem: Problem) => void;
}

interface Props {
  jobs: readonly JobStateFragment[];
  /** Called when one has ended: there is a receipt more. */
  onErased: () => void;
}

/** An author is erased when it was confirmed; what the server objects to is shown beside the fields. */
export function Erase({ jobs, onErased }: Props) {
  const t = useMessages(MESSAGES);
  const { id: workspaceId } = useWorkspace();
  const erase = useMutate(ERASE);
  const [asked, setAsked] = useState<Asked | undefined>();
  useEnded(jobs, onErased);

  const ask = (values: Values) =>
    new Promise<Problem>((answer) => {
      setAsked({ author: authorIn(values), mode: values.text('mode') as ErasureMode, answer });
    });

  async function begin({ author, mode, answer }: Asked) {
    answer(problemIn((await erase({ input: { workspaceId, mode, ...author } }))?.eraseAuthor));
  }

  function close() {
    // Without an answer the form would wait for ever; after one this says nothing.
    asked?.answer(undefined);
    setAsked(undefined);
  }

  return (
    <Card title={t.erase}>
      <p>{t.eraseText}</p>
      <Form onSubmit={ask} submit={t.eraseIt}>
        <AuthorFields />
        <Select name="mode" label={t.mode}>
          <option value="ERASE">{t.modes.ERASE}</option>
          <option value="ANONYMISE">{t.modes.ANONYMISE}</option>
        </Select>
      </Form>
      {jobs.length > 0 && (
        <>
          <h3>{t.erasures}</h3>
          <Table
            caption={t.erasures}
            rows={jobs}
            id={({ id }) => id}
            columns={[
              { key: 'asked', title: t.asked, cell: ({ createdAt }) => <Moment at={createdAt} /> },
              { key: 'state', title: t.state, cell: (job) => <JobState job={job} /> },
            ]}
          />
        </>
      )}
      {asked && (
        <Confirm
          title={t.eraseTitle(named(asked.author))}
          action={t.eraseIt}
          onConfirm={() => begin(asked)}
          onClose={close}
        >
          <p>{t.eraseSure[asked.mode]}</p>
          <p>{t.exportsToo}</p>
        </Confirm>
      )}
    </Card>
  );
}

/** Calls back when a job that was open has ended. */
function useEnded(jobs: readonly JobStateFragment[], onEnd: () => void) {
  const open = useRef(new Set<string>());
  const end = useRef(onEnd);
  end.current = onEnd;
  useEffect(() => {
    const now = new Set(jobs.filter(isOpen).map(({ id }) => id));
    const ended = jobs.some(({ id }) => open.current.has(id) && !now.has(id));
    open.current = now;
    if (ended) end.current();
  }, [jobs]);
}
