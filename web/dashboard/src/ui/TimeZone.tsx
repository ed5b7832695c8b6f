import { useId } from 'react';
import { timeZone } from '../i18n/format';
import { Field } from './Form';

interface Props {
  name: string;
  label: string;
  /** The reader's where it is missing. */
  zone?: string | undefined;
}

/** An IANA time zone, chosen from those that the browser knows. */
export function TimeZoneField({ name, label, zone = timeZone() }: Props) {
  const list = useId();
  return (
    <>
      <Field name={name} label={label} list={list} defaultValue={zone} autoComplete="off" required />
      <datalist id={list}>
        {Intl.supportedValuesOf('timeZone').map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
    </>
  );
}
