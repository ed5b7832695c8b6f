import { useFormat } from '../i18n/format';
import styles from './Progress.module.css';

interface Props {
  /** What is coming on. */
  label: string;
  /** From 0 to 1; null while nobody knows. */
  share: number | null;
}

/** How far something has come: a bar, and the same in numbers. */
export function Progress({ label, share }: Props) {
  const format = useFormat();
  return (
    <div className={styles.progress}>
      <span>{label}</span>
      <span>{share !== null && format.percent(share)}</span>
      <progress aria-label={label} max={1} {...(share !== null && { value: share })} />
    </div>
  );
}
