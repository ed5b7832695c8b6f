import { type ReactNode, useEffect, useRef } from 'react';
import styles from './Title.module.css';

/** A browser puts the focus where it belongs on the page that it loads. */
let isFirst = true;

interface Props {
  children: string;
  /** What can be done with the whole page. */
  actions?: ReactNode;
}

/** A page's heading, which is its title too; it takes the focus when the page is gone to, so that it is read out. */
export function Title({ children, actions }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${children} · Earful`;
  }, [children]);
  useEffect(() => {
    if (!isFirst) heading.current?.focus({ preventScroll: true });
    isFirst = false;
  }, []);
  return (
    <div className={styles.bar}>
      <h1 ref={heading} tabIndex={-1} className={styles.title}>
        {children}
      </h1>
      {actions && <div className={styles.actions}>{actions}</div>}
    </div>
  );
}
