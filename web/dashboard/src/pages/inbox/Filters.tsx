import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { useShellMessages } from '../../app/messages';
import { useUser } from '../../app/session';
import { useChoices } from '../../app/triage';
import { useMessages } from '../../i18n/catalogue';
import { Button } from '../../ui/Button';
import { type Conditions, NOBODY, ORDERS, read, SENTIMENTS, STATUSES } from './conditions';
import styles from './Filters.module.css';
import { MESSAGES } from './messages';

interface Props {
  conditions: Conditions;
  onChange: (conditions: Conditions) => void;
}

const TYPED = 350;

/** What the list is narrowed by. Every change is in the address at once. */
export function Filters({ conditions, onChange }: Props) {
  const { filters: t, orders } = useMessages(MESSAGES);
  const shell = useShellMessages();
  const user = useUser();
  const { tags, sources, members } = useChoices();
  const [isOpen, setOpen] = useState(false);
  const set = (some: Partial<Conditions>) => onChange({ ...conditions, ...some });
  const people = members
    .filter(({ role }) => role !== 'VIEWER' || conditions.assignees.length > 0)
    .map(({ id, user: { id: person, name } }) => ({
      value: id,
      label: person === user.id ? `${name} (${t.me})` : name,
    }));
  const number = howMany(conditions);

  return (
    <search className={styles.filters}>
      <Search value={conditions.search} onChange={(search) => set({ search })} />
      <Button icon="filter" aria-expanded={isOpen} className={styles.toggle} onClick={() => setOpen(!isOpen)}>
        {number ? t.set(number) : t.title}
      </Button>
      <div className={styles.more} data-open={isOpen || undefined}>
        <Choice
          label={t.sentiment}
          chosen={conditions.sentiments}
          options={SENTIMENTS.map((value) => ({ value, label: shell.sentiment[value] }))}
          onChange={(sentiments) => set({ sentiments })}
        />
        <Choice
          label={t.status}
          chosen={conditions.statuses}
          options={STATUSES.map((value) => ({ value, label: shell.status[value] }))}
          onChange={(statuses) => set({ statuses })}
        />
        <Choice
          label={t.assignee}
          chosen={conditions.assignees}
          options={[{ value: NOBODY, label: shell.nobody }, ...people]}
          onChange={(assignees) => set({ assignees })}
        />
        <Choice
          label={t.source}
          chosen={conditions.sources}
          options={sources.map(({ id, name }) => ({ value: id, label: name }))}
          onChange={(chosen) => set({ sources: chosen })}
        />
        <Choice
          label={t.tag}
          chosen={conditions.tags}
          options={tags.map(({ id, name }) => ({ value: id, label: name }))}
          onChange={(chosen) => set({ tags: chosen })}
        />
        <One label={t.least} value={conditions.least} onChange={(least) => set({ least })} />
        <One label={t.most} value={conditions.most} onChange={(most) => set({ most })} />
        <Labelled label={t.from}>
          {(id) => (
            <input
              id={id}
              type="date"
              value={conditions.from}
              onChange={(event) => set({ from: event.target.value })}
            />
          )}
        </Labelled>
        <Labelled label={t.to}>
          {(id) => (
            <input id={id} type="date" value={conditions.to} onChange={(event) => set({ to: event.target.value })} />
          )}
        </Labelled>
        <Labelled label={t.order}>
          {(id) => (
            <select
              id={id}
              value={conditions.order}
              onChange={(event) => set({ order: event.target.value as Conditions['order'] })}
            >
              {ORDERS.map((order) => (
                <option key={order} value={order}>
                  {orders[order]}
                </option>
              ))}
            </select>
          )}
        </Labelled>
        {number > 0 && (
          <Button kind="quiet" icon="cross" onClick={() => onChange({ ...read(''), order: conditions.order })}>
            {t.clear}
          </Button>
        )}
      </div>
    </search>
  );
}

/** The words are looked for when one stops to write. */
function Search({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const { filters: t } = useMessages(MESSAGES);
  const [text, setText] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const hint = useId();
  // What is being written keeps the space at its end.
  useEffect(() => setText((now) => (now.trim() === value ? now : value)), [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const say = (words: string) => {
    clearTimeout(timer.current);
    onChange(words.trim());
  };
  return (
    <form
      className={styles.search}
      onSubmit={(event) => {
        event.preventDefault();
        say(text);
      }}
    >
      <input
        type="search"
        value={text}
        aria-label={t.search}
        aria-describedby={hint}
        placeholder={t.search}
        maxLength={500}
        onChange={({ target }) => {
          setText(target.value);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => say(target.value), TYPED);
        }}
      />
      <span id={hint} className={styles.hint}>
        {t.searchHint}
      </span>
    </form>
  );
}

interface ChoiceProps<Value extends string> {
  label: string;
  chosen: readonly Value[];
  options: readonly { value: Value; label: string }[];
  onChange: (chosen: Value[]) => void;
}

/** Any of several, in a box that opens; its head says which. */
function Choice<Value extends string>({ label, chosen, options, onChange }: ChoiceProps<Value>) {
  const { filters: t } = useMessages(MESSAGES);
  const named = options.filter(({ value }) => chosen.includes(value)).map((option) => option.label);
  return (
    <details
      className={styles.choice}
      name="inbox-filter"
      onKeyDown={(event) => {
        if (event.key === 'Escape') {
          event.currentTarget.open = false;
          event.currentTarget.querySelector('summary')?.focus();
        }
      }}
    >
      <summary>
        <span className={styles.label}>{label}</span>
        <span className={styles.chosen}>{named.join(', ') || (chosen.length ? '…' : t.any)}</span>
      </summary>
      <fieldset>
        <legend className="unseen">{label}</legend>
        {options.map(({ value, label: name }) => (
          <label key={value}>
            <input
              type="checkbox"
              checked={chosen.includes(value)}
              onChange={({ target }) =>
                onChange(target.checked ? [...chosen, value] : chosen.filter((each) => each !== value))
              }
            />
            {name}
          </label>
        ))}
      </fieldset>
    </details>
  );
}

function One({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  const { filters: t } = useMessages(MESSAGES);
  return (
    <Labelled label={label}>
      {(id) => (
        <select id={id} value={value} onChange={(event) => onChange(event.target.value)}>
          <option value="">{t.any}</option>
          {Array.from({ length: 11 }, (_, rating) => String(rating)).map((rating) => (
            <option key={rating}>{rating}</option>
          ))}
        </select>
      )}
    </Labelled>
  );
}

function Labelled({ label, children }: { label: string; children: (id: string) => ReactNode }) {
  const id = useId();
  return (
    <div className={styles.field}>
      <label htmlFor={id} className={styles.label}>
        {label}
      </label>
      {children(id)}
    </div>
  );
}

/** How many conditions there are, besides the words. */
function howMany({ sentiments, statuses, assignees, sources, tags, least, most, from, to }: Conditions): number {
  return [sentiments, statuses, assignees, sources, tags, least, most, from, to].filter(({ length }) => length).length;
}
