import type { ReactNode } from 'react';
import { useShellMessages } from '../../app/messages';
import type { FeedbackDetailFragment } from '../../gql/graphql';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { useLanguage } from '../../i18n/language';
import { Card } from '../../ui/Card';
import styles from './About.module.css';
import { MESSAGES } from './messages';

/** Who said it where and when, and whatever else the source told. */
export function About({ feedback }: { feedback: FeedbackDetailFragment }) {
  const t = useMessages(MESSAGES);
  const shell = useShellMessages();
  const format = useFormat();
  const { locale } = useLanguage();
  const { author, source, rating, language, occurredAt, receivedAt, externalId, metadata } = feedback;
  const rows: [string, ReactNode][] = [
    [t.author, author?.name ?? author?.email ?? author?.externalId ?? shell.anonymous],
    ['', author?.name && author.email],
    [t.source, source.name],
    [t.rating, rating !== null && t.rated(rating)],
    [t.language, language && new Intl.DisplayNames(locale, { type: 'language' }).of(language)],
    [
      t.occurred,
      <time key="occurred" dateTime={occurredAt}>
        {format.moment(occurredAt)}
      </time>,
    ],
    [
      t.received,
      <time key="received" dateTime={receivedAt}>
        {format.moment(receivedAt)}
      </time>,
    ],
    [t.externalId, externalId],
  ];
  return (
    <Card title={t.about}>
      <dl className={styles.facts}>
        {rows.map(
          ([name, value]) =>
            value && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
      {metadata !== null && (
        <details>
          <summary>{t.metadata}</summary>
          <pre className={styles.data}>{JSON.stringify(metadata, null, 2)}</pre>
        </details>
      )}
    </Card>
  );
}
