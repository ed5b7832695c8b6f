import styles from './Light.module.css';
import { useShellMessages } from './messages';
import { useLightOrNone } from './workspace';

/** Says whether what is shown is what there is. */
export function Light() {
  const t = useShellMessages();
  const light = useLightOrNone();
  return (
    light && (
      <span className={styles.light} data-light={light} role="status" title={t.lightMeans[light]}>
        <span className={styles.dot} aria-hidden="true" />
        {t.light[light]}
      </span>
    )
  );
}
