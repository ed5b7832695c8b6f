import releases from 'virtual:schema-changes';
import { useMessages } from '../../i18n/catalogue';
import { Badge } from '../../ui/Actions';
import { Card } from '../../ui/Card';
import styles from './Changes.module.css';
import { MESSAGES } from './messages';

/** What has become of the schema, newest release first, with what breaks programs before the rest. */
export function Changes() {
  const t = useMessages(MESSAGES);
  return (
    <Card title={t.changes} actions={<a href="/schema.graphql">{t.schema}</a>}>
      <p>{t.changesText}</p>
      {releases.map(({ version, changes }) => (
        <details key={version} className={styles.release} open={version === releases[0]?.version}>
          <summary>{version}</summary>
          {/* The changelog is written in English. */}
          <ul lang="en">
            {[...changes]
              .sort((one, other) => Number(other.isBreaking) - Number(one.isBreaking))
              .map(({ text, isBreaking }) => (
                <li key={text}>
                  {isBreaking && (
                    <>
                      <Badge kind="bad">{t.breaking}</Badge>{' '}
                    </>
                  )}
                  {text.split('`').map((part, index) =>
                    // biome-ignore lint/suspicious/noArrayIndexKey: they stay in their places
                    index % 2 ? <code key={index}>{part}</code> : part,
                  )}
                </li>
              ))}
          </ul>
        </details>
      ))}
    </Card>
  );
}
