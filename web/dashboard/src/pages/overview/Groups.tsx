import { memo, useEffect, useMemo, useRef, useState } from 'react';
import { useQuery } from 'urql';
import { Link } from 'wouter';
import { useShellMessages } from '../../app/messages';
import { useChoices } from '../../app/triage';
import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { CountsFragment } from '../../gql/graphql';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Columns } from '../../ui/Stack';
import { useSight } from '../../ui/sight';
import { Loading } from '../../ui/states';
import styles from './Groups.module.css';
import { MESSAGES } from './messages';

const GROUPS = graphql(`
  query OverviewGroups($slug: String!, $from: DateTime!, $to: DateTime!) {
    workspace(slug: $slug) {
      id
      stats(from: $from, to: $to, interval: MONTH) {
        sources {
          source {
            id
          }
          counts {
            ...Counts
          }
        }
        tags {
          tag {
            id
          }
          counts {
            ...Counts
          }
        }
      }
    }
  }
`);

/** So many of each are asked for at first. */
const MOST = 8;
const LABELS = ['positive', 'neutral', 'negative'] as const;
const NOTHING = { total: 0, positive: 0, neutral: 0, negative: 0 };

interface Props {
  from: string;
  to: string;
  /** The totals that were answered last: as often as others are, the groups are asked for again. */
  totals: CountsFragment | undefined;
}

/** How each source and each tag feels. */
export const Groups = memo(function Groups({ from, to, totals }: Props) {
  const t = useMessages(MESSAGES);
  const { slug } = useWorkspace();
  const { sources, tags, areThere } = useChoices();
  const [watch, wasSeen] = useSight();
  const variables = { slug, from, to };
  const [{ data }, ask] = useQuery({
    query: GROUPS,
    variables,
    requestPolicy: 'cache-and-network',
    pause: !wasSeen,
  });
  const stats = data?.workspace?.stats;
  const bySource = useMemo(() => new Map(stats?.sources.map(({ source, counts }) => [source.id, counts])), [stats]);
  const byTag = useMemo(() => new Map(stats?.tags.map(({ tag, counts }) => [tag.id, counts])), [stats]);
  const last = useRef(totals);
  useEffect(() => {
    if (last.current && totals && last.current !== totals && wasSeen) ask({ requestPolicy: 'network-only' });
    last.current = totals;
  }, [totals, wasSeen, ask]);
  return (
    <div ref={watch}>
      <Columns least={26}>
        <Card title={t.bySource}>
          {sources.length > 0 && <List groups={sources} by="sources" counts={stats && bySource} />}
          {!sources.length && (areThere ? <p>{t.noGroups}</p> : <Loading lines={3} />)}
        </Card>
        <Card title={t.byTag}>
          {tags.length > 0 && <List groups={tags} by="tags" counts={stats && byTag} />}
          {!tags.length && (areThere ? <p>{t.noGroups}</p> : <Loading lines={3} />)}
        </Card>
      </Columns>
    </div>
  );
});

interface ListProps {
  groups: readonly { id: string; name: string }[];
  /** As the inbox's address calls it. */
  by: 'sources' | 'tags';
  /** By id, of those that have any; undefined until they are known. */
  counts: ReadonlyMap<string, CountsFragment> | undefined;
}

function List({ groups, by, counts }: ListProps) {
  const t = useMessages(MESSAGES);
  const [most, setMost] = useState(MOST);
  return (
    <>
      <ul className={styles.groups}>
        {groups.slice(0, most).map(({ id, name }) => (
          <Group key={id} name={name} id={id} by={by} counts={counts && (counts.get(id) ?? NOTHING)} />
        ))}
      </ul>
      {groups.length > most && <Button onClick={() => setMost(groups.length)}>{t.all(groups.length)}</Button>}
    </>
  );
}

interface GroupProps extends Pick<ListProps, 'by'> {
  name: string;
  id: string;
  counts: Pick<CountsFragment, 'total' | (typeof LABELS)[number]> | undefined;
}

function Group({ name, id, by, counts }: GroupProps) {
  const { sentiment } = useShellMessages();
  const format = useFormat();
  const { slug } = useWorkspace();
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
