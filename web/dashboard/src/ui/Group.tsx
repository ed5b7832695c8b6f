import type { ReactNode } from 'react';
import styles from './Group.module.css';

interface Props {
  label: string;
  children: ReactNode;
}

/** Fields that belong together, under what they are about. */
export function Group({ label, children }: Props) {
  return (
    <fieldset className={styles.group}>
      <legend>{label}</legend>
      {children}
    </fieldset>
  );
}
