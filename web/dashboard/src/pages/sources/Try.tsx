import { type MouseEvent, useId, useState } from 'react';
import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { PreviewSourceMutation, SourceProvider } from '../../gql/graphql';
import { type Problem, problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Badge } from '../../ui/Actions';
import { Button } from '../../ui/Button';
import { TextField, Values } from '../../ui/Form';
import { mapping } from './input';
import { MESSAGES } from './messages';
import styles from './Try.module.css';

const PREVIEW = graphql(`
  mutation PreviewSource($input: PreviewSourceInput!) {
    previewSource(input: $input) {
      ... on PreviewSourceSuccess {
        entries {
          feedback
          reason
          problems {
            path
            message
          }
        }
        count
        deliveryId
        answer
      }
      ...Refusal
    }
  }
`);

type Tried = Extract<PreviewSourceMutation['previewSource'], { __typename: 'PreviewSourceSuccess' }>;

interface Props {
  provider: SourceProvider;
  /** Something that was sent. */
  sample?: string;
}

/** What a sample would become, by the mapping in the form around this as it stands there; nothing is stored. */
export function Try({ provider, sample = '' }: Props) {
  const t = useMessages(MESSAGES);
  const { id: workspaceId } = useWorkspace();
  const preview = useMutate(PREVIEW);
  const heading = useId();
  const [outcome, setOutcome] = useState<Tried | Problem | 'busy' | undefined>();

  async function look({ currentTarget: { form } }: MouseEvent<HTMLButtonElement>) {
    if (!form) return;
    const values = new Values(new FormData(form));
    const by = provider === 'GENERIC' && { mapping: mapping(values) };
    setOutcome('busy');
    const answer = await preview({ input: { workspaceId, provider, body: values.text('sample'), ...by } });
    const result = answer?.previewSource;
    setOutcome(result?.__typename === 'PreviewSourceSuccess' ? result : problemIn(result));
  }

  return (
    <section className={styles.tried} aria-labelledby={heading}>
      <h3 id={heading}>{t.tryTitle}</h3>
      <TextField
        name="sample"
        label={t.sample}
        hint={t.sampleHint}
        defaultValue={sample}
        maxLength={262_144}
        spellCheck={false}
      />
      <Button busy={outcome === 'busy'} onClick={(event) => void look(event)}>
        {t.tryIt}
      </Button>
      <div aria-live="polite">{outcome && outcome !== 'busy' && <Outcome outcome={outcome} />}</div>
    </section>
  );
}

function Outcome({ outcome }: { outcome: Tried | Problem }) {
  const t = useMessages(MESSAGES);
  if (!('entries' in outcome)) {
    const fields = Object.entries(outcome.fields);
    return (
      <>
        <Badge kind="bad">{t.notTried}</Badge>
        <Wrong problems={fields.map(([path, message]) => ({ path: path.split('.'), message }))} />
      </>
    );
  }
  const { entries, count, deliveryId, answer } = outcome;
  return (
    <>
      <p>
        {answer === null ? t.found(count) : t.answered}
        {deliveryId && ` ${t.deliveryId(deliveryId)}`}
      </p>
      {answer !== null && <pre className={styles.made}>{JSON.stringify(answer, null, 2)}</pre>}
      <ol className={styles.entries}>
        {entries.map(({ feedback, reason, problems }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: they stand in the order in which they were sent
          <li key={index}>
            <Badge kind={feedback ? 'good' : 'bad'}>{feedback ? t.isFeedback : t.isNone}</Badge> {reason}
            <Wrong problems={problems} />
            {feedback !== null && <pre className={styles.made}>{JSON.stringify(feedback, null, 2)}</pre>}
          </li>
        ))}
      </ol>
    </>
  );
}

function Wrong({ problems }: { problems: readonly { path: readonly string[]; message: string }[] }) {
  return (
    <ul className={styles.wrong}>
      {problems.map(({ path, message }) => (
        <li key={path.join('.')}>
          <code>{path.join('.')}</code> {message}
        </li>
      ))}
    </ul>
  );
}
