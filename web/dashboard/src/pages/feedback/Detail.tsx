import { useCallback, useEffect, useState } from 'react';
import { useQuery } from 'urql';
import { Link, useParams } from 'wouter';
import { useLeft } from '../../app/left';
import { useShellMessages } from '../../app/messages';
import { Title } from '../../app/Title';
import { useFeedBegin, useFeedbackEvents, useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import { useMessages } from '../../i18n/catalogue';
import type { FeedbackChange } from '../../live/feed';
import { Stack } from '../../ui/Stack';
import { Empty, Failed, Loading } from '../../ui/states';
import { About } from './About';
import { Attachments } from './Attachments';
import styles from './Detail.module.css';
import { History } from './History';
import { MESSAGES } from './messages';
import { Notes } from './Notes';
import { Said } from './Said';
import { Similar } from './Similar';
import { Triage } from './Triage';

const DETAIL = graphql(`
  query FeedbackPage($id: ID!) {
    node(id: $id) {
      ... on Feedback {
        ...FeedbackDetail
      }
    }
  }
`);

export const FEEDBACK_DETAIL = graphql(`
  fragment FeedbackDetail on Feedback {
    ...FeedbackRow
    externalId
    language
    metadata
    unscoredReason
    author {
      name
      email
      externalId
    }
    sentiment {
      model
      spans {
        start
        end
        label
      }
    }
    ...Attached
    revisions {
      body
      replacedAt
    }
    history {
      at
      kind
      removed
      added
      actor {
        id
        name
      }
    }
  }
`);

/** One feedback with all that is known of it. It is read again when anything happens to it. */
export default function Detail() {
  const t = useMessages(MESSAGES);
  const shell = useShellMessages();
  const left = useLeft();
  const { slug } = useWorkspace();
  const { feedback: id = '' } = useParams<{ feedback: string }>();
  const [{ data, error }, ask] = useQuery({
    query: DETAIL,
    variables: { id },
    requestPolicy: 'cache-and-network',
  });
  const [isGone, setGone] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another one is there until it is said to be gone
  useEffect(() => setGone(false), [id]);
  const again = useCallback(() => ask({ requestPolicy: 'network-only' }), [ask]);
  const onChanges = useCallback(
    (changes: readonly FeedbackChange[]) => {
      const mine = changes.filter(({ feedback }) => feedback.id === id);
      if (mine.some(({ type }) => type === 'DELETED')) setGone(true);
      else if (mine.length) again();
    },
    [id, again],
  );
  useFeedbackEvents(onChanges, again);
  useFeedBegin(again);

  const feedback = data?.node?.__typename === 'Feedback' && !isGone ? data.node : undefined;
  const back = (
    <Link href={left(`/w/${slug}/inbox`)} className={styles.back}>
      {t.back}
    </Link>
  );
  if (feedback) {
    return (
      <>
        {back}
        <Title>{t.title(feedback.author?.name ?? shell.anonymous)}</Title>
        <div className={styles.columns}>
          <Stack>
            <Said feedback={feedback} />
            <Notes key={id} feedback={id} />
            <Similar feedback={id} />
          </Stack>
          <Stack>
            <Triage feedback={feedback} onChanged={again} />
            <About feedback={feedback} />
            <Attachments feedback={feedback} />
            <History feedback={feedback} />
          </Stack>
        </div>
      </>
    );
  }
  if (error && !data) return <Failed error={error} retry={again} />;
  if (!data) return <Loading lines={12} />;
  return (
    <>
      <Title>{t.gone}</Title>
      <Empty icon="search" title={t.goneText}>
        {back}
      </Empty>
    </>
  );
}
