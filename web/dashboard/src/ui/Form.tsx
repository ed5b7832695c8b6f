import {
  type ComponentProps,
  createContext,
  type FormEvent,
  type ReactNode,
  use,
  useId,
  useRef,
  useState,
} from 'react';
import { useShellMessages } from '../app/messages';
import { type Problem, sentence } from '../graph/problems';
import { Button } from './Button';
import styles from './Form.module.css';

/** What the fields hold, by their names; what is empty is missing. */
export class Values {
  private readonly data: FormData;

  constructor(data: FormData) {
    this.data = data;
  }

  text(name: string): string {
    return this.maybe(name) ?? '';
  }

  maybe(name: string): string | undefined {
    const value = this.data.get(name);
    return typeof value === 'string' && value !== '' ? value : undefined;
  }

  number(name: string): number | undefined {
    const text = this.maybe(name);
    return text === undefined ? undefined : Number(text);
  }

  all(name: string): string[] {
    return this.data.getAll(name).filter((value): value is string => typeof value === 'string');
  }

  is(name: string): boolean {
    return this.data.has(name);
  }
}

const Problems = createContext<Record<string, string>>({});

interface Props {
  /** Answers the problem, if there was one (see `problemIn`). */
  onSubmit: (values: Values) => Promise<Problem | undefined>;
  /** The words on its button. */
  submit: string;
  children: ReactNode;
  /** Beside the button. */
  also?: ReactNode;
  /** Words for problems of this form, by their kinds, in place of the usual ones. */
  problems?: Record<string, string>;
}

/** A form that shows what the server has to say beside the fields it is about, and goes to the first of them. */
export function Form({ onSubmit, submit, children, also, problems = {} }: Props) {
  const shell = useShellMessages();
  const form = useRef<HTMLFormElement>(null);
  const [problem, setProblem] = useState<Problem | undefined>();
  const [busy, setBusy] = useState(false);

  async function send(event: FormEvent) {
    event.preventDefault();
    if (busy || !form.current) return;
    setBusy(true);
    const found = await onSubmit(new Values(new FormData(form.current)));
    setBusy(false);
    setProblem(found);
    if (found) {
      const names = Object.keys(found.fields);
      const fields = [...(form.current?.elements ?? [])] as HTMLInputElement[];
      const first = fields.find(({ name }) => names.includes(name));
      requestAnimationFrame(() => first?.focus());
    }
  }

  return (
    <form ref={form} className={styles.form} onSubmit={(event) => void send(event)}>
      <div role="alert">
        {problem && <p className={styles.problem}>{problems[problem.kind] ?? sentence(problem, shell)}</p>}
      </div>
      <Problems value={problem?.fields ?? {}}>{children}</Problems>
      <div className={styles.actions}>
        <Button kind="primary" submits busy={busy}>
          {submit}
        </Button>
        {also}
      </div>
    </form>
  );
}

interface FieldProps {
  /** As in the mutation's input, with dots where it is nested. */
  name: string;
  label: string;
  hint?: ReactNode;
}

/** Ties a label, a hint and the server's objection to a field. */
function useField(name: string, hint: ReactNode) {
  const id = useId();
  const objection = use(Problems)[name];
  const described = [hint && `${id}-hint`, objection && `${id}-objection`].filter(Boolean).join(' ');
  return {
    objection,
    id,
    attributes: {
      id,
      name,
      'aria-invalid': objection ? true : undefined,
      'aria-describedby': described || undefined,
    },
  };
}

function Labelled({ id, label, hint, objection, children }: LabelledProps) {
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      {children}
      {hint && (
        <span id={`${id}-hint`} className={styles.hint}>
          {hint}
        </span>
      )}
      {objection && (
        <span id={`${id}-objection`} className={styles.objection}>
          {objection}
        </span>
      )}
    </div>
  );
}

interface LabelledProps {
  id: string;
  label: string;
  hint?: ReactNode;
  objection: string | undefined;
  children: ReactNode;
}

type InputProps = FieldProps & Omit<ComponentProps<'input'>, 'name' | 'id'>;

export function Field({ name, label, hint, ...rest }: InputProps) {
  const { id, objection, attributes } = useField(name, hint);
  return (
    <Labelled id={id} label={label} hint={hint} objection={objection}>
      <input {...rest} {...attributes} className={styles.input} />
    </Labelled>
  );
}

type TextProps = FieldProps & Omit<ComponentProps<'textarea'>, 'name' | 'id'>;

export function TextField({ name, label, hint, ...rest }: TextProps) {
  const { id, objection, attributes } = useField(name, hint);
  return (
    <Labelled id={id} label={label} hint={hint} objection={objection}>
      <textarea rows={5} {...rest} {...attributes} className={styles.input} />
    </Labelled>
  );
}

type SelectProps = FieldProps & Omit<ComponentProps<'select'>, 'name' | 'id'>;

export function Select({ name, label, hint, children, ...rest }: SelectProps) {
  const { id, objection, attributes } = useField(name, hint);
  return (
    <Labelled id={id} label={label} hint={hint} objection={objection}>
      <select {...rest} {...attributes} className={styles.input}>
        {children}
      </select>
    </Labelled>
  );
}

export function Checkbox({ name, label, hint, ...rest }: InputProps) {
  const { id, objection, attributes } = useField(name, hint);
  return (
    <div className={styles.field}>
      <label className={styles.check} htmlFor={id}>
        <input {...rest} {...attributes} type="checkbox" />
        {label}
      </label>
      {hint && (
        <span id={`${id}-hint`} className={styles.hint}>
          {hint}
        </span>
      )}
      {objection && (
        <span id={`${id}-objection`} className={styles.objection}>
          {objection}
        </span>
      )}
    </div>
  );
}

interface ChoicesProps extends FieldProps {
  options: readonly { value: string; label: string; hint?: string }[];
  chosen?: readonly string[];
}

/** Any of a few: what is chosen is `values.all(name)`. */
export function Choices({ name, label, hint, options, chosen = [] }: ChoicesProps) {
  const { id, objection, attributes } = useField(name, hint);
  return (
    <fieldset className={styles.choices} aria-describedby={attributes['aria-describedby']}>
      <legend>{label}</legend>
      {hint && (
        <span id={`${id}-hint`} className={styles.hint}>
          {hint}
        </span>
      )}
      {options.map((option) => (
        <label key={option.value} className={styles.check}>
          <input type="checkbox" name={name} value={option.value} defaultChecked={chosen.includes(option.value)} />
          <span>
            {option.label} {option.hint && <span className={styles.hint}>{option.hint}</span>}
          </span>
        </label>
      ))}
      {objection && (
        <span id={`${id}-objection`} className={styles.objection}>
          {objection}
        </span>
      )}
    </fieldset>
  );
}
