import { memo } from 'react';
import { Link } from 'wouter';
import { useShellMessages } from '../../app/messages';
import { useMessages } from '../../i18n/catalogue';
import { Moment } from '../../ui/Moment';
import { Sentiment } from '../../ui/Sentiment';
import { Status } from '../../ui/Status';
import { Tag } from '../../ui/Tag';
import styles from './Item.module.css';
import { MESSAGES } from './messages';
import type { Row } from './rows';

interface Props {
  row: Row;
  /** The path of its own page. */
  href: string;
  isChosen: boolean;
  mayChoose: boolean;
  onChoose: (id: string, isRange: boolean) => void;
  onFocus: (id: string) => void;
}

const SHORT = 80;

/** A feedback in the list. It is drawn again when it becomes another, not when others do. */
export const Item = memo(function Item({ row, href, isChosen, mayChoose, onChoose, onFocus }: Props) {
  const t = useMessages(MESSAGES);
  const shell = useShellMessages();
  const { id, body, author, source, occurredAt, rating, sentiment, tags, status, assignee } = row;
  return (
    <article className={styles.item} data-label={sentiment?.label ?? 'none'} data-chosen={isChosen || undefined}>
      {mayChoose && (
        <label className={styles.choose}>
          <input
            type="checkbox"
            checked={isChosen}
            aria-label={t.choose(body.slice(0, SHORT))}
            onChange={({ nativeEvent }) => onChoose(id, (nativeEvent as MouseEvent).shiftKey === true)}
            onFocus={() => onFocus(id)}
          />
        </label>
      )}
      <div className={styles.said}>
        <Link href={href} className={styles.body} data-row={id} onFocus={() => onFocus(id)}>
          {body}
        </Link>
        <div className={styles.about}>
          <Sentiment label={sentiment?.label} />
          <Status status={status} />
          <span>{author?.name ?? shell.anonymous}</span>
          <span>{source.name}</span>
          {rating !== null && <span>{t.rated(rating)}</span>}
          <Moment at={occurredAt} />
          {assignee && <span>{t.assignedTo(assignee.name)}</span>}
          {tags.map((tag) => (
            <Tag key={tag.id} name={tag.name} color={tag.color} />
          ))}
        </div>
      </div>
    </article>
  );
});
