import type { ReactNode } from 'react';
import styles from './Tag.module.css';

interface Props {
  name: string;
  /** As the workspace has chosen it: `#d97706`. */
  color: string;
  /** What can be done with it. */
  children?: ReactNode;
}

/** A tag's name beside a dot of its colour, which need not stand out from any background. */
export function Tag({ name, color, children }: Props) {
  return (
    <span className={styles.tag}>
      <span className={styles.dot} style={{ background: color }} aria-hidden="true" />
      {name}
      {children}
    </span>
  );
}
