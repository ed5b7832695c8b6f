import { useState } from 'react';
import { useQuery } from 'urql';
import { useShellMessages } from '../../app/messages';
import { useUser } from '../../app/session';
import { useMay } from '../../app/workspace';
import { graphql } from '../../gql';
import type { NoteFragment } from '../../gql/graphql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Confirm, Dialog } from '../../ui/Dialog';
import { Form, TextField, type Values } from '../../ui/Form';
import { Moment } from '../../ui/Moment';
import { Failed, Loading } from '../../ui/states';
import { useToast } from '../../ui/toast';
import { MESSAGES } from './messages';
import styles from './Notes.module.css';

const NOTES = graphql(`
  query FeedbackNotes($id: ID!, $first: Int!) {
    node(id: $id) {
      ... on Feedback {
        id
        notes(first: $first) {
          nodes {
            ...Note
          }
          pageInfo {
            hasNextPage
          }
        }
      }
    }
  }
`);

export const NOTE = graphql(`
  fragment Note on FeedbackNote {
    id
    body
    author {
      id
      name
    }
    createdAt
    editedAt
  }
`);

const ADD = graphql(`
  mutation AddNote($input: AddFeedbackNoteInput!) {
    addFeedbackNote(input: $input) {
      ... on AddFeedbackNoteSuccess {
        note {
          ...Note
        }
      }
      ...Refusal
    }
  }
`);

const EDIT = graphql(`
  mutation EditNote($input: EditFeedbackNoteInput!) {
    editFeedbackNote(input: $input) {
      ... on EditFeedbackNoteSuccess {
        note {
          ...Note
        }
      }
      ...Refusal
    }
  }
`);

const DELETE = graphql(`
  mutation DeleteNote($id: ID!) {
    deleteFeedbackNote(input: { noteId: $id }) {
      ... on DeleteFeedbackNoteSuccess {
        noteId
      }
      ...Refusal
    }
  }
`);

const PAGE = 20;
const LONGEST = 10_000;
/** As many as may be asked for at once. */
const MOST = 100;

/** What people of the workspace have written on it, the newest first. */
export function Notes({ feedback }: { feedback: string }) {
  const t = useMessages(MESSAGES);
  const shell = useShellMessages();
  const mayWrite = useMay('ANALYST');
  const [first, setFirst] = useState(PAGE);
  const [turn, setTurn] = useState(0);
  const variables = { id: feedback, first };
  const [{ data, error }, ask] = useQuery({ query: NOTES, variables, requestPolicy: 'cache-and-network' });
  const add = useMutate(ADD);
  const again = () => ask({ requestPolicy: 'network-only' });
  const notes = data?.node?.__typename === 'Feedback' ? data.node.notes : undefined;

  async function write(values: Values) {
    const problem = problemIn(
      (await add({ input: { feedbackId: feedback, body: values.text('body') } }))?.addFeedbackNote,
    );
    if (!problem) {
      again();
      setTurn((now) => now + 1);
    }
    return problem;
  }

  return (
    <Card title={t.notes}>
      {mayWrite && (
        <Form key={turn} submit={t.addNote} onSubmit={write}>
          <TextField name="body" label={t.note} rows={3} required maxLength={LONGEST} />
        </Form>
      )}
      {notes ? (
        <ol className={styles.notes}>
          {notes.nodes.map((note) => (
            <Note key={note.id} note={note} onGone={again} />
          ))}
          {!notes.nodes.length && <li>{t.noNotes}</li>}
        </ol>
      ) : error ? (
        <Failed error={error} retry={again} />
      ) : (
        <Loading lines={2} />
      )}
      {notes?.pageInfo.hasNextPage && first < MOST && (
        <Button onClick={() => setFirst(Math.min(first + PAGE, MOST))}>{shell.more}</Button>
      )}
    </Card>
  );
}

function Note({ note: { id, body, author, createdAt, editedAt }, onGone }: { note: NoteFragment; onGone: () => void }) {
  const t = useMessages(MESSAGES);
  const shell = useShellMessages();
  const toast = useToast();
  const isMine = useUser().id === author.id;
  const isAdmin = useMay('ADMIN');
  const mayWrite = useMay('ANALYST');
  const [asking, ask] = useState<'edit' | 'delete' | undefined>();
  const edit = useMutate(EDIT);
  const remove = useMutate(DELETE);
  const close = () => ask(undefined);

  async function save(values: Values) {
    const problem = problemIn((await edit({ input: { noteId: id, body: values.text('body') } }))?.editFeedbackNote);
    if (!problem) close();
    return problem;
  }

  async function confirmed() {
    if (problemIn((await remove({ id }))?.deleteFeedbackNote)) toast({ kind: 'failed', text: shell.problems.other });
    onGone();
  }

  return (
    <li className={styles.note}>
      <p className={styles.body}>{body}</p>
      <div className={styles.about}>
        <span>{author.name}</span>
        <Moment at={createdAt} />
        {editedAt && <span>{t.edited}</span>}
        {(isAdmin || (isMine && mayWrite)) && (
          <>
            <Button kind="quiet" onClick={() => ask('edit')}>
              {t.edit}
            </Button>
            <Button kind="quiet" onClick={() => ask('delete')}>
              {t.delete}
            </Button>
          </>
        )}
      </div>
      {asking === 'edit' && (
        <Dialog title={t.editNote} onClose={close}>
          <Form submit={t.save} onSubmit={save}>
            <TextField name="body" label={t.note} defaultValue={body} required maxLength={LONGEST} autoFocus />
          </Form>
        </Dialog>
      )}
      {asking === 'delete' && (
        <Confirm title={t.deleteNote} action={t.deleteNoteAction} onConfirm={confirmed} onClose={close}>
          {t.deleteNoteText}
        </Confirm>
      )}
    </li>
  );
}
