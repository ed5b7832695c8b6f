import type { ComponentProps } from 'react';
import styles from './Button.module.css';
import { Icon, type IconName } from './Icon';

interface Props extends Omit<ComponentProps<'button'>, 'type'> {
  kind?: 'primary' | 'plain' | 'quiet' | 'danger';
  submits?: boolean;
  icon?: IconName;
  /** Waits for an answer: shown, and not to be pressed again. */
  busy?: boolean;
}

export function Button({ kind = 'plain', submits = false, icon, busy = false, children, className, ...rest }: Props) {
  return (
    <button
      {...rest}
      type={submits ? 'submit' : 'button'}
      className={[styles.button, styles[kind], className].filter(Boolean).join(' ')}
      aria-busy={busy || undefined}
      aria-disabled={busy || undefined}
      onClick={busy ? (event) => event.preventDefault() : rest.onClick}
    >
      {icon && <Icon name={icon} size={18} />}
      {children}
    </button>
  );
}

/** A button that is a picture; its label is read out and shown when the pointer rests on it. */
export function IconButton({ label, icon, ...rest }: Omit<Props, 'children'> & { label: string; icon: IconName }) {
  return <Button kind="quiet" {...rest} icon={icon} aria-label={label} title={label} />;
}
