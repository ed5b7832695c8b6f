import { useRef, useState } from 'react';
import { useShellMessages } from '../../app/messages';
import { useChoices, useTriage } from '../../app/triage';
import type { UpdateFeedbackInput } from '../../gql/graphql';
import { useMessages } from '../../i18n/catalogue';
import { IconButton } from '../../ui/Button';
import { useToast } from '../../ui/toast';
import styles from './Bulk.module.css';
import { STATUSES } from './conditions';
import { MESSAGES } from './messages';
import type { Row } from './rows';
import { undoing } from './undo';

interface Props {
  chosen: readonly Row[];
  onChanged: (rows: readonly Row[]) => void;
  onClear: () => void;
}

const MOST = 500;
const NOBODY = 'nobody';

/** What can be done with all that is chosen, at once. */
export function Bulk({ chosen, onChanged, onClear }: Props) {
  const { bulk: t } = useMessages(MESSAGES);
  const shell = useShellMessages();
  const toast = useToast();
  const change = useTriage();
  const { tags, members } = useChoices();
  const [running, setRunning] = useState(0);
  const before = useRef<Promise<readonly Row[]>>(Promise.resolve([]));
  const given = tags.filter(({ id }) => chosen.some((row) => row.tags.some((tag) => tag.id === id)));

  /** One after the other, so that what was asked for last is what is answered last. */
  function send(what: Omit<UpdateFeedbackInput, 'ids'>) {
    if (chosen.length > MOST) {
      toast({ kind: 'failed', text: t.most });
      return;
    }
    const ids = chosen.map(({ id }) => id);
    // What is being changed now is not on screen yet.
    const begun = running ? before.current : Promise.resolve([]);
    setRunning((now) => now + 1);
    before.current = begun.then(async (answered) => {
      const were = chosen.map((row) => answered.find(({ id }) => id === row.id) ?? row);
      const done = await change({ ids, ...what });
      setRunning((now) => now - 1);
      if (!done) return answered;
      onChanged(done.feedback);
      const missing = done.missingIds.length ? ` ${t.missing(done.missingIds.length)}` : '';
      const back = undoing(were, what);
      toast({
        text: t.changed(done.changed) + missing,
        ...(back.length > 0 && { undo: { label: t.undo, action: () => void undo(back) } }),
      });
      return done.feedback;
    });
  }

  async function undo(inputs: readonly UpdateFeedbackInput[]) {
    let changed = 0;
    for (const input of inputs) {
      const done = await change(input);
      if (!done) return;
      onChanged(done.feedback);
      changed += done.changed;
    }
    toast({ text: t.undone(changed) });
  }

  return (
    <section data-bar className={styles.bulk} aria-label={t.title} aria-busy={running > 0}>
      <strong role="status">{t.chosen(chosen.length)}</strong>
      <Act
        label={t.status}
        options={STATUSES.map((status) => ({ value: status, label: shell.status[status] }))}
        onChoose={(status) => send({ status })}
      />
      <Act
        label={t.assign}
        options={[
          { value: NOBODY, label: shell.nobody },
          ...members.map(({ id, user }) => ({ value: id, label: user.name })),
        ]}
        onChoose={(id) => send({ assigneeId: id === NOBODY ? null : id })}
      />
      <Act
        label={t.tag}
        options={tags.map(({ id, name }) => ({ value: id, label: name }))}
        onChoose={(id) => send({ addTagIds: [id] })}
      />
      <Act
        label={t.untag}
        options={given.map(({ id, name }) => ({ value: id, label: name }))}
        onChoose={(id) => send({ removeTagIds: [id] })}
      />
      <IconButton icon="cross" label={t.clear} onClick={onClear} />
    </section>
  );
}

interface ActProps<Value extends string> {
  label: string;
  options: readonly { value: Value; label: string }[];
  onChoose: (value: Value) => void;
}

/** A menu of the browser's: its head stays, whatever was chosen last. */
function Act<Value extends string>({ label, options, onChoose }: ActProps<Value>) {
  return (
    <select
      aria-label={label}
      value=""
      disabled={!options.length}
      onChange={({ target }) => onChoose(target.value as Value)}
    >
      <option value="" disabled hidden>
        {label}
      </option>
      {options.map(({ value, label: name }) => (
        <option key={value} value={value}>
          {name}
        </option>
      ))}
    </select>
  );
}
