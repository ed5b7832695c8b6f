import type { ReactNode } from 'react';
import styles from './Stack.module.css';

/** Parts of a page, one below the other. */
export function Stack({ children }: { children: ReactNode }) {
  return <div className={styles.stack}>{children}</div>;
}

/** Parts side by side where there is room for `least` each, in rem. */
export function Columns({ least = 12, children }: { least?: 12 | 18 | 26; children: ReactNode }) {
  return (
    <div className={styles.columns} data-least={least}>
      {children}
    </div>
  );
}
