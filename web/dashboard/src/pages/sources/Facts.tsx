import type { ReactNode } from 'react';
import type { SourceDetailFragment } from '../../gql/graphql';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { useLanguage } from '../../i18n/language';
import { Moment } from '../../ui/Moment';
import styles from './Facts.module.css';
import { MESSAGES } from './messages';
import { duration } from './settings';

/** How a source is doing, and what is set of it. */
export function Facts({ source: { kind, provider, health, deliveriesPerMinute, masking } }: Props) {
  const t = useMessages(MESSAGES);
  const format = useFormat();
  const { locale } = useLanguage();
  const { lastReceivedAt, perHour, usualPauseSeconds, quietSince } = health;
  const masked = [
    ...(masking?.kinds.map((each) => t.personal[each]) ?? []),
    ...(masking?.authors ? [t.maskAuthors] : []),
    ...(masking?.reversible ? [t.reversible] : []),
  ];
  const rows: [string, ReactNode][] = [
    [t.kind, kind === 'WEBHOOK' ? t.providers[provider] : t.kinds[kind]],
    [t.last, lastReceivedAt ? <Moment key="last" at={lastReceivedAt} /> : t.never],
    [t.perHour, format.decimal(perHour)],
    [t.usualPause, usualPauseSeconds !== null && duration(usualPauseSeconds, locale)],
    [t.quietSince, quietSince && <Moment key="quiet" at={quietSince} />],
    [t.limit, deliveriesPerMinute === null ? t.noLimit : format.number(deliveriesPerMinute)],
    [t.masking, masked.join(', ') || t.nothingMasked],
  ];
  return (
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
  );
}

interface Props {
  source: SourceDetailFragment;
}
