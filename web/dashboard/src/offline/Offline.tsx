import { useShellMessages } from '../app/messages';
import { useFormat } from '../i18n/format';
import { Icon } from '../ui/Icon';
import styles from './Offline.module.css';
import { useSeenSince } from './useSeen';

/** Says that what is shown is what was seen last, and when that was. */
export function Offline() {
  const { offline } = useShellMessages();
  const format = useFormat();
  const since = useSeenSince();
  return (
    <div role="status">
      {since !== undefined && (
        <p className={styles.offline}>
          <Icon name="warning" size={18} />
          {offline(format.moment(new Date(since).toISOString()))}
        </p>
      )}
    </div>
  );
}
