import { graphql } from '../../gql';
import type { PersonalData, SourceDetailFragment } from '../../gql/graphql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Dialog } from '../../ui/Dialog';
import { Checkbox, Choices, Field, Form, type Values } from '../../ui/Form';
import { useOutcome } from '../../ui/outcome';
import { FormFields } from './FormFields';
import { GenericFields } from './GenericFields';
import { changeInput, folded } from './input';
import { MESSAGES } from './messages';
import type { FormRules, Generic } from './settings';
import { Try } from './Try';

const UPDATE = graphql(`
  mutation UpdateSource($input: UpdateSourceInput!) {
    updateSource(input: $input) {
      ... on UpdateSourceSuccess {
        source {
          ...SourceDetail
        }
      }
      ...Refusal
    }
  }
`);

const PERSONAL: readonly PersonalData[] = ['EMAIL', 'PHONE', 'CARD', 'IBAN', 'SECRET'];

interface Props {
  source: SourceDetailFragment;
  /** What it has sent, to try its mapping on. */
  sample?: string;
  onClose: () => void;
}

/** All that can be set of a source: its name and limits, its mapping, who may send it, what is masked. */
export function Change({ source, sample, onClose }: Props) {
  const t = useMessages(MESSAGES);
  const update = useMutate(UPDATE);
  const say = useOutcome();
  const { id, name, kind, provider, settings, deliveriesPerMinute, masking } = source;

  async function save(values: Values) {
    const problem = problemIn((await update({ input: changeInput(id, kind, provider, values) }))?.updateSource);
    if (!problem) {
      say(undefined, t.saved);
      onClose();
    }
    return folded(problem);
  }

  return (
    <Dialog title={t.change} onClose={onClose}>
      <Form onSubmit={save} submit={t.save}>
        <Field name="name" label={t.name} maxLength={200} defaultValue={name} required />
        <Field
          name="deliveriesPerMinute"
          label={t.limit}
          hint={t.limitHint}
          type="number"
          min={1}
          max={1_000_000}
          defaultValue={deliveriesPerMinute ?? ''}
        />
        {kind === 'FORM' && <FormFields rules={settings as FormRules} />}
        {kind === 'WEBHOOK' && provider === 'GENERIC' && <GenericFields generic={settings as Generic} />}
        {kind === 'WEBHOOK' && <Try provider={provider} {...(sample !== undefined && { sample })} />}
        <Choices
          name="masking.kinds"
          label={t.masking}
          hint={t.maskingHint}
          options={PERSONAL.map((value) => ({ value, label: t.personal[value] }))}
          chosen={masking?.kinds ?? []}
        />
        <Checkbox
          name="masking.authors"
          label={t.maskAuthors}
          hint={t.maskAuthorsHint}
          defaultChecked={masking?.authors ?? false}
        />
        <Checkbox
          name="masking.reversible"
          label={t.reversible}
          hint={t.reversibleHint}
          defaultChecked={masking?.reversible ?? false}
        />
      </Form>
    </Dialog>
  );
}
