import { useState } from 'react';
import { useMessages } from '../../i18n/catalogue';
import { Field, Select, TextField } from '../../ui/Form';
import { Columns } from '../../ui/Stack';
import { MESSAGES } from './messages';
import type { Generic } from './settings';

const PLACEHOLDERS = {
  body: 'text',
  items: 'reviews',
  externalId: 'id',
  rating: 'stars',
  authorName: 'by.name',
  authorEmail: 'by.email',
  authorExternalId: 'by.id',
  occurredAt: 'created',
  deliveryId: 'event.id',
} as const;

/** How a sender of its own kind proves itself, and where its body has what. */
export function GenericFields({ generic }: { generic?: Generic }) {
  const t = useMessages(MESSAGES);
  const [scheme, setScheme] = useState(generic?.scheme ?? 'HMAC');
  return (
    <>
      <Select name="generic.scheme" label={t.scheme} value={scheme} onChange={({ target }) => setScheme(target.value)}>
        <option value="HMAC">{t.schemes.HMAC}</option>
        <option value="BEARER">{t.schemes.BEARER}</option>
      </Select>
      <Field
        name="generic.header"
        label={t.header}
        placeholder={scheme === 'HMAC' ? 'X-Signature' : 'Authorization'}
        defaultValue={generic?.header}
      />
      {scheme === 'HMAC' && (
        <>
          <Columns>
            <Select name="generic.algorithm" label={t.algorithm} defaultValue={generic?.algorithm ?? 'SHA256'}>
              <option value="SHA1">SHA-1</option>
              <option value="SHA256">SHA-256</option>
              <option value="SHA512">SHA-512</option>
            </Select>
            <Select name="generic.encoding" label={t.encoding} defaultValue={generic?.encoding ?? 'HEX'}>
              <option value="HEX">{t.encodings.HEX}</option>
              <option value="BASE64">{t.encodings.BASE64}</option>
            </Select>
          </Columns>
          <Field name="generic.prefix" label={t.prefix} placeholder="sha256=" defaultValue={generic?.prefix} />
          <Field
            name="generic.timestampHeader"
            label={t.timestampHeader}
            hint={t.timestampHint}
            placeholder="X-Timestamp"
            defaultValue={generic?.timestampHeader ?? ''}
          />
        </>
      )}
      <p>{t.mappingText}</p>
      <Columns>
        {(Object.keys(PLACEHOLDERS) as (keyof typeof PLACEHOLDERS)[]).map((each) => (
          <Field
            key={each}
            name={`generic.mapping.${each}`}
            label={t.mapping[each]}
            placeholder={PLACEHOLDERS[each]}
            defaultValue={generic?.mapping[each] ?? ''}
            required={each === 'body'}
            spellCheck={false}
          />
        ))}
      </Columns>
      <TextField
        name="generic.mapping.metadata"
        label={t.mapping.metadata}
        placeholder="{plan: account.plan}"
        defaultValue={generic?.mapping.metadata ?? ''}
        rows={2}
        spellCheck={false}
      />
    </>
  );
}
