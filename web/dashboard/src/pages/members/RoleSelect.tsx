import { useMessages } from '../../i18n/catalogue';
import { MESSAGES } from './messages';
import styles from './RoleSelect.module.css';
import { ROLES, type Role } from './table';

interface Props {
  label: string;
  role: Role;
  /** The highest that the reader may give. */
  highest: Role;
  onChange: (role: Role) => void;
}

/** Gives another role as soon as it is chosen. */
export function RoleSelect({ label, role, highest, onChange }: Props) {
  const t = useMessages(MESSAGES);
  return (
    <select
      className={styles.select}
      aria-label={label}
      value={role}
      onChange={({ target }) => onChange(target.value as Role)}
    >
      {ROLES.slice(0, ROLES.indexOf(highest) + 1).map((each) => (
        <option key={each} value={each}>
          {t.roles[each]}
        </option>
      ))}
    </select>
  );
}
