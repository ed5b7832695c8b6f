import type { ReactNode } from 'react';
import styles from './Card.module.css';

interface Props {
  title?: string;
  actions?: ReactNode;
  children: ReactNode;
}

/** A part of a page, with a heading of its own where it has one. */
export function Card({ title, actions, children }: Props) {
  return (
    <section className={styles.card} aria-label={title}>
      {(title || actions) && (
        <div className={styles.head}>
          {title && <h2>{title}</h2>}
          {actions}
        </div>
      )}
      {children}
    </section>
  );
}
