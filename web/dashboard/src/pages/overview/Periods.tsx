import { type FormEvent, useState } from 'react';
import { useMessages } from '../../i18n/catalogue';
import { Button } from '../../ui/Button';
import { MESSAGES } from './messages';
import styles from './Periods.module.css';
import { iso, LENGTHS, type Period } from './period';

interface Props {
  period: Period;
  /** Told what the address is to say. */
  onChange: (search: string) => void;
}

/** Which time the overview is about: so many days up to today, or from one day to another. */
export function Periods({ period, onChange }: Props) {
  const t = useMessages(MESSAGES);
  const [isOwn, setOwn] = useState(false);
  const last = new Date(period.to.getTime() - 1);

  function submitted(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    setOwn(false);
    onChange(`from=${given.get('from')}&to=${given.get('to')}`);
  }

  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out beside its heading
    <div role="group" aria-label={t.choose} className={styles.periods}>
      {LENGTHS.map((days) => (
        <Button
          key={days}
          kind="quiet"
          aria-pressed={period.isNow && period.days === days}
          className={styles.length}
          onClick={() => onChange(`days=${days}`)}
        >
          {t.lengths(days)}
        </Button>
      ))}
      <Button
        kind="quiet"
        aria-expanded={isOwn}
        aria-pressed={!period.isNow}
        className={styles.length}
        onClick={() => setOwn(!isOwn)}
      >
        {t.choose}
      </Button>
      {isOwn && (
        <form className={styles.own} onSubmit={submitted}>
          <label>
            {t.from} <input type="date" name="from" defaultValue={iso(period.from)} required />
          </label>
          <label>
            {t.to} <input type="date" name="to" defaultValue={iso(last)} required />
          </label>
          <Button submits>{t.show}</Button>
        </form>
      )}
    </div>
  );
}
