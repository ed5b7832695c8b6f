import { useMessages } from '../../i18n/catalogue';
import { Field, Select } from '../../ui/Form';
import { Columns } from '../../ui/Stack';
import { MESSAGES } from './messages';

/** Who is meant: read by `authorIn`. */
export function AuthorFields() {
  const t = useMessages(MESSAGES);
  return (
    <Columns least={18}>
      <Select name="by" label={t.by}>
        <option value="email">{t.bys.email}</option>
        <option value="externalId">{t.bys.externalId}</option>
      </Select>
      <Field
        name="identifier"
        label={t.identifier}
        hint={t.identifierHint}
        maxLength={500}
        autoComplete="off"
        required
      />
    </Columns>
  );
}
