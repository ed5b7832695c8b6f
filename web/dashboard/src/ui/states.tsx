import type { ReactNode } from 'react';
import type { CombinedError } from 'urql';
import { useShellMessages } from '../app/messages';
import { useReturned } from '../app/session';
import { Button } from './Button';
import { Icon, type IconName } from './Icon';
import styles from './states.module.css';

/** Where something will be; `lines` as high as what comes, so that nothing jumps. */
export function Loading({ lines = 3 }: { lines?: number }) {
  const { loading } = useShellMessages();
  return (
    <div className={styles.loading} role="status">
      <span className="unseen">{loading}</span>
      {Array.from({ length: lines }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
        <span key={line} className={styles.line} />
      ))}
    </div>
  );
}

interface EmptyProps {
  icon: IconName;
  title: string;
  /** What the reader can do about it. */
  children?: ReactNode;
}

/** There is nothing yet: says what would be here, and how it comes to be. */
export function Empty({ icon, title, children }: EmptyProps) {
  return (
    <div className={styles.empty}>
      <Icon name={icon} size={32} />
      <p className={styles.title}>{title}</p>
      {children}
    </div>
  );
}

/** A question that got no answer; it is asked again when a connection that was lost is back. */
export function Failed({ error, retry }: { error?: CombinedError | undefined; retry: () => void }) {
  const { failed } = useShellMessages();
  useReturned(retry);
  const trace = error?.graphQLErrors.find(({ extensions }) => extensions.traceId)?.extensions.traceId;
  return (
    <div className={styles.empty} role="alert">
      <Icon name="warning" size={32} />
      <p className={styles.title}>{failed.title}</p>
      <p>{failed.server}</p>
      {typeof trace === 'string' && <p className={styles.trace}>{failed.trace(trace)}</p>}
      <Button onClick={retry}>{failed.retry}</Button>
    </div>
  );
}
