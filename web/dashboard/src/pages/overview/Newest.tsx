import { memo, startTransition, useCallback, useEffect, useRef, useState } from 'react';
import { useFeedbackEvents } from '../../app/workspace';
import type { FeedbackRowFragment } from '../../gql/graphql';
import { useMessages } from '../../i18n/catalogue';
import type { FeedbackChange } from '../../live/feed';
import { merged } from '../../live/merge';
import { Moment } from '../../ui/Moment';
import { Sentiment } from '../../ui/Sentiment';
import { Empty } from '../../ui/states';
import { MESSAGES } from './messages';
import styles from './Newest.module.css';

/** So much of what was told is remembered: an answer may be of some seconds ago. */
const TOLD = 500;

interface Props {
  nodes: readonly FeedbackRowFragment[];
  most: number;
  onGap: () => void;
}

/** The newest feedback, as it comes in and is scored. */
export function Newest({ nodes, most, onGap }: Props) {
  const t = useMessages(MESSAGES);
  const [rows, setRows] = useState(() => [...nodes]);
  const told = useRef<readonly FeedbackChange[]>([]);
  const isStale = useRef(false);
  // Drawn in slices: hundreds a second keep nobody from what they are doing.
  const onChanges = useCallback(
    (changes: readonly FeedbackChange[]) => {
      told.current = [...told.current, ...changes].slice(-TOLD);
      startTransition(() => setRows((now) => merged(now, changes, most)));
    },
    [most],
  );
  // What came by the feed alone stays, and what was told of a row may not be in the answer yet.
  useEffect(() => {
    const isAnew = isStale.current;
    isStale.current = false;
    const changes = [...nodes.map(asChange), ...told.current];
    startTransition(() => setRows((now) => merged(isAnew ? [] : now, changes, most)));
  }, [nodes, most]);
  const lost = useCallback(() => {
    told.current = [];
    isStale.current = true;
    onGap();
  }, [onGap]);
  useFeedbackEvents(onChanges, lost, { isLate: true });

  if (!rows.length) {
    return (
      <Empty icon="inbox" title={t.none}>
        {t.noneText}
      </Empty>
    );
  }
  return (
    <ol className={styles.list}>
      {rows.map((row) => (
        <Row key={row.id} row={row} />
      ))}
    </ol>
  );
}

/** Drawn again when it becomes another, not when others come. */
const Row = memo(function Row({ row }: { row: FeedbackRowFragment }) {
  const t = useMessages(MESSAGES);
  const { body, author, source, occurredAt, rating, sentiment } = row;
  return (
    <li className={styles.row} data-label={sentiment?.label ?? 'none'}>
      <p className={styles.body}>{body}</p>
      <div className={styles.about}>
        <Sentiment label={sentiment?.label} />
        <span>{author?.name ?? t.anonymous}</span>
        <span>{source.name}</span>
        {rating !== null && <span>{t.rated(rating)}</span>}
        <Moment at={occurredAt} />
      </div>
    </li>
  );
});

const asChange = (feedback: FeedbackRowFragment): FeedbackChange => ({
  __typename: 'FeedbackEvent',
  cursor: '',
  type: 'ADDED',
  feedback,
});
