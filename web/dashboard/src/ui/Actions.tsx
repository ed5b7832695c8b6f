import type { ReactNode } from 'react';
import styles from './Actions.module.css';

/** Buttons beside one another, or words and a button. */
export function Actions({ children }: { children: ReactNode }) {
  return <div className={styles.actions}>{children}</div>;
}

interface BadgeProps {
  kind?: 'good' | 'bad' | 'waiting' | 'plain';
  children: ReactNode;
}

/** A state in a word; the colour says it once more. */
export function Badge({ kind = 'plain', children }: BadgeProps) {
  return (
    <span className={styles.badge} data-kind={kind}>
      {children}
    </span>
  );
}
