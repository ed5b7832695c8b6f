import { useState } from 'react';
import { Link } from 'wouter';
import type { SourceDetailFragment } from '../../gql/graphql';
import { useMessages } from '../../i18n/catalogue';
import { Badge } from '../../ui/Actions';
import { Card } from '../../ui/Card';
import { Code } from '../../ui/Copy';
import styles from './Embed.module.css';
import { MESSAGES } from './messages';
import { type FormRules, lets, snippet } from './settings';

const ASKED = ['name', 'email', 'rating'] as const;

/** What puts a form into a page, which pages may send it, and how it looks. */
export function Embed({ source: { formScriptUrl, publishableKey, settings } }: { source: SourceDetailFragment }) {
  const t = useMessages(MESSAGES);
  const [fields, setFields] = useState<readonly string[]>(['name', 'email']);
  const rules = settings as FormRules;
  if (!formScriptUrl) return null;
  return (
    <Card title={t.embed}>
      <fieldset className={styles.asked}>
        <legend>{t.asked}</legend>
        {ASKED.map((each) => (
          <label key={each}>
            <input
              type="checkbox"
              checked={fields.includes(each)}
              onChange={({ target }) =>
                setFields(ASKED.filter((one) => (one === each ? target.checked : fields.includes(one))))
              }
            />
            {t.askedFor[each]}
          </label>
        ))}
      </fieldset>
      <p>{t.formText}</p>
      <Code text={snippet(formScriptUrl, fields, t.formWords)} label={t.copyScript} />
      <h3 className={styles.heading}>{t.origins}</h3>
      {rules.origins.length ? (
        <ul className={styles.origins}>
          {rules.origins.map((each) => (
            <li key={each}>{each === '*' ? <Badge kind="waiting">{t.anyOrigin}</Badge> : <code>{each}</code>}</li>
          ))}
        </ul>
      ) : (
        <p>
          <Badge kind="bad">{t.noOrigins}</Badge>
        </p>
      )}
      <p>
        <Link href={`/form/${publishableKey}`}>{t.preview}</Link>
        <br />
        <span className={styles.means}>
          {lets(rules, location.origin) ? t.previewSends : t.previewOnlyShows(location.origin)}
        </span>
      </p>
    </Card>
  );
}
