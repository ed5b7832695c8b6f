import { useState } from 'react';
import { useShellMessages } from '../../app/messages';
import { useChoices, useTriage } from '../../app/triage';
import { useMay, useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { FeedbackDetailFragment, FeedbackStatus, UpdateFeedbackInput } from '../../gql/graphql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { IconButton } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Dialog } from '../../ui/Dialog';
import { Field, Form, Select, type Values } from '../../ui/Form';
import { Status } from '../../ui/Status';
import { Tag } from '../../ui/Tag';
import { MESSAGES } from './messages';
import styles from './Triage.module.css';

const CREATE_TAG = graphql(`
  mutation CreateTag($input: CreateTagInput!) {
    createTag(input: $input) {
      ... on CreateTagSuccess {
        tag {
          id
        }
      }
      ...Refusal
    }
  }
`);

const STATUSES: readonly FeedbackStatus[] = ['OPEN', 'IN_PROGRESS', 'CLOSED'];
const NEW = 'new';

interface Props {
  feedback: FeedbackDetailFragment;
  onChanged: () => void;
}

/** How far it is, whose it is, and its tags: to be changed by who may. */
export function Triage({ feedback, onChanged }: Props) {
  const t = useMessages(MESSAGES);
  const shell = useShellMessages();
  const mayChange = useMay('ANALYST');
  const { tags, members } = useChoices();
  const change = useTriage();
  const [isNaming, setNaming] = useState(false);
  const given = new Set(feedback.tags.map(({ id }) => id));

  async function send(what: Omit<UpdateFeedbackInput, 'ids'>) {
    if (await change({ ids: [feedback.id], ...what })) onChanged();
  }

  return (
    <Card title={t.triage}>
      <div className={styles.triage}>
        {mayChange ? (
          <>
            <Select
              name="status"
              label={t.status}
              value={feedback.status}
              onChange={({ target }) => void send({ status: target.value as FeedbackStatus })}
            >
              {STATUSES.map((status) => (
                <option key={status} value={status}>
                  {shell.status[status]}
                </option>
              ))}
            </Select>
            <Select
              name="assignee"
              label={t.assignee}
              value={feedback.assignee?.memberId ?? ''}
              onChange={({ target }) => void send({ assigneeId: target.value || null })}
            >
              <option value="">{shell.nobody}</option>
              {feedback.assignee && !members.some(({ id }) => id === feedback.assignee?.memberId) && (
                <option value={feedback.assignee.memberId ?? ''}>{feedback.assignee.name}</option>
              )}
              {members.map(({ id, user }) => (
                <option key={id} value={id}>
                  {user.name}
                </option>
              ))}
            </Select>
          </>
        ) : (
          <p>
            <Status status={feedback.status} /> · {feedback.assignee?.name ?? shell.nobody}
          </p>
        )}
        <div>
          <h3 className={styles.label}>{t.tags}</h3>
          <ul className={styles.tags}>
            {feedback.tags.map(({ id, name, color }) => (
              <li key={id}>
                <Tag name={name} color={color}>
                  {mayChange && (
                    <IconButton icon="cross" label={t.untag(name)} onClick={() => void send({ removeTagIds: [id] })} />
                  )}
                </Tag>
              </li>
            ))}
            {!feedback.tags.length && <li>{t.noTags}</li>}
          </ul>
        </div>
        {mayChange && (
          <Select
            name="tag"
            label={t.addTag}
            value=""
            onChange={({ target }) =>
              target.value === NEW ? setNaming(true) : void send({ addTagIds: [target.value] })
            }
          >
            <option value="" disabled hidden />
            {tags
              .filter(({ id }) => !given.has(id))
              .map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            <option value={NEW}>{t.newTag}</option>
          </Select>
        )}
      </div>
      {isNaming && <NewTag onMade={(id) => void send({ addTagIds: [id] })} onClose={() => setNaming(false)} />}
    </Card>
  );
}

function NewTag({ onMade, onClose }: { onMade: (id: string) => void; onClose: () => void }) {
  const t = useMessages(MESSAGES);
  const { id: workspaceId } = useWorkspace();
  const create = useMutate(CREATE_TAG);
  async function make(values: Values) {
    const result = (await create({ input: { workspaceId, name: values.text('name') } }))?.createTag;
    if (result?.__typename !== 'CreateTagSuccess') return problemIn(result);
    onMade(result.tag.id);
    onClose();
    return undefined;
  }
  return (
    <Dialog title={t.newTag} onClose={onClose}>
      <Form submit={t.makeTag} onSubmit={make}>
        <Field name="name" label={t.newTag} required maxLength={100} autoFocus />
      </Form>
    </Dialog>
  );
}
