import { memo, useState } from 'react';
import { useQuery } from 'urql';
import { Link } from 'wouter';
import { useShellMessages } from '../../app/messages';
import { useChoices } from '../../app/triage';
import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { FeedbackFilter } from '../../gql/graphql';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Columns } from '../../ui/Stack';
import { useSight } from '../../ui/sight';
import { Loading } from '../../ui/states';
import styles from './Groups.module.css';
import { MESSAGES } from './messages';

const GROUP = graphql(`
  query OverviewGroup($slug: String!, $from: DateTime!, $to: DateTime!, $filter: FeedbackFilter!) {
    workspace(slug: $slug) {
      id
      stats(from: $from, to: $to, interval: MONTH, filter: $filter) {
        totals {
          ...Counts
        }
      }
    }
  }
`);

/** So many of each are asked for at first. */
const MOST = 8;
const LABELS = ['positive', 'neutral', 'negative'] as const;

interface Time {
  from: string;
  to: string;
}

/** How each source and each tag feels. */
export const Groups = memo(function Groups(time: Time) {
  const t = useMessages(MESSAGES);
  const { sources, tags, areThere } = useChoices();
  return (
    <Columns least={26}>
      <Card title={t.bySource}>
        {sources.length > 0 && <List groups={sources} by="sources" time={time} />}
        {!sources.length && (areThere ? <p>{t.noGroups}</p> : <Loading lines={3} />)}
      </Card>
      <Card title={t.byTag}>
        {tags.length > 0 && <List groups={tags} by="tags" time={time} />}
        {!tags.length && (areThere ? <p>{t.noGroups}</p> : <Loading lines={3} />)}
      </Card>
    </Columns>
  );
});

interface ListProps {
  groups: readonly { id: string; name: string }[];
  /** As the inbox's address calls it. */
  by: 'sources' | 'tags';
  time: Time;
}

function List({ groups, by, time }: ListProps) {
  const t = useMessages(MESSAGES);
  const [watch, wasSeen] = useSight();
  const [most, setMost] = useState(MOST);
  return (
    <>
      <ul ref={watch} className={styles.groups}>
        {groups.slice(0, most).map(({ id, name }) => (
          <Group key={id} name={name} id={id} by={by} time={time} isWanted={wasSeen} />
        ))}
      </ul>
      {groups.length > most && <Button onClick={() => setMost(groups.length)}>{t.all(groups.length)}</Button>}
    </>
  );
}

interface GroupProps extends Pick<ListProps, 'by' | 'time'> {
  name: string;
  id: string;
  isWanted: boolean;
}

function Group({ name, id, by, time, isWanted }: GroupProps) {
  const { sentiment } = useShellMessages();
  const format = useFormat();
  const { slug } = useWorkspace();
  const filter: FeedbackFilter = by === 'sources' ? { sourceIds: [id] } : { tagIds: [id] };
  const variables = { slug, ...time, filter };
  const [{ data }] = useQuery({ query: GROUP, variables, requestPolicy: 'cache-and-network', pause: !isWanted });
  const counts = data?.workspace?.stats.totals;
  return (
    <li className={styles.group}>
      <Link href={`/w/${slug}/inbox?${by}=${id}`}>{name}</Link>
      <span className={styles.count}>{counts && format.number(counts.total)}</span>
      <span className={styles.bar} aria-hidden="true">
        {LABELS.map((label) => (
          <span key={label} data-label={label} style={{ flexGrow: counts?.[label] ?? 0 }} />
        ))}
      </span>
      {counts && (
        <span className="unseen">
          {LABELS.map(
            (label) => `${sentiment[label.toUpperCase() as Uppercase<typeof label>]}: ${format.number(counts[label])}`,
          ).join(', ')}
        </span>
      )}
    </li>
  );
}
