import { memo } from 'react';
import { useQuery } from 'urql';
import { Link } from 'wouter';
import { useShellMessages } from '../../app/messages';
import { useChoices } from '../../app/triage';
import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { FeedbackFilter } from '../../gql/graphql';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { Card } from '../../ui/Card';
import { Columns } from '../../ui/Stack';
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

/** So many of each are asked for; the inbox filters by all. */
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
        <ul className={styles.groups}>
          {sources.slice(0, MOST).map(({ id, name }) => (
            <Group key={id} name={name} id={id} by="sources" time={time} />
          ))}
        </ul>
        {!sources.length && (areThere ? <p>{t.noGroups}</p> : <Loading lines={3} />)}
      </Card>
      <Card title={t.byTag}>
        <ul className={styles.groups}>
          {tags.slice(0, MOST).map(({ id, name }) => (
            <Group key={id} name={name} id={id} by="tags" time={time} />
          ))}
        </ul>
        {!tags.length && (areThere ? <p>{t.noGroups}</p> : <Loading lines={3} />)}
      </Card>
    </Columns>
  );
});

interface GroupProps {
  name: string;
  id: string;
  /** As the inbox's address calls it. */
  by: 'sources' | 'tags';
  time: Time;
}

function Group({ name, id, by, time }: GroupProps) {
  const { sentiment } = useShellMessages();
  const format = useFormat();
  const { slug } = useWorkspace();
  const filter: FeedbackFilter = by === 'sources' ? { sourceIds: [id] } : { tagIds: [id] };
  const variables = { slug, ...time, filter };
  const [{ data }] = useQuery({ query: GROUP, variables, requestPolicy: 'cache-and-network' });
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
