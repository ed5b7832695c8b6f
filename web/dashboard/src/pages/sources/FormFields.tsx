import { useMessages } from '../../i18n/catalogue';
import { Field, TextField } from '../../ui/Form';
import { MESSAGES } from './messages';
import type { FormRules } from './settings';

/** Which pages may send a form, and how often. */
export function FormFields({ rules }: { rules?: FormRules }) {
  const t = useMessages(MESSAGES);
  return (
    <>
      <TextField
        name="form.origins"
        label={t.origins}
        hint={t.originsHint}
        placeholder="https://www.example.com"
        defaultValue={rules?.origins.join('\n')}
        rows={3}
        spellCheck={false}
        required
      />
      <Field
        name="form.leastSeconds"
        label={t.leastSeconds}
        hint={t.leastSecondsHint}
        type="number"
        min={0}
        max={60}
        defaultValue={rules?.leastSeconds ?? 2}
        required
      />
      <Field
        name="form.perAddressPerHour"
        label={t.perAddressPerHour}
        type="number"
        min={1}
        max={10_000}
        defaultValue={rules?.perAddressPerHour ?? 20}
        required
      />
    </>
  );
}
