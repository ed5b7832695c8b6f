import { useMessages } from '../../i18n/catalogue';
import { Choices, Field } from '../../ui/Form';
import { Columns } from '../../ui/Stack';
import { useShellMessages } from '../messages';
import { useChoices } from '../triage';
import { MESSAGES } from './messages';
import { SENTIMENTS, STATUSES, type Which } from './values';

interface Props {
  /** The way to the filter in the input, with a dot at its end: `rule.filter.`. */
  path: string;
  which?: Which | undefined;
  /** What is not to be asked. */
  without?: readonly ('sentiments' | 'statuses')[];
}

/** Fields for which feedback to take: read by `filterIn`. */
export function FilterFields({ path, which = {}, without = [] }: Props) {
  const t = useMessages(MESSAGES);
  const shell = useShellMessages();
  const { sources, tags } = useChoices();
  return (
    <>
      <Field
        name={`${path}search`}
        label={t.search}
        hint={t.searchHint}
        maxLength={500}
        defaultValue={which.search ?? ''}
      />
      {sources.length > 0 && (
        <Choices
          name={`${path}sourceIds`}
          label={t.sources}
          chosen={which.sourceIds ?? []}
          options={sources.map(({ id, name }) => ({ value: id, label: name }))}
        />
      )}
      {tags.length > 0 && (
        <Choices
          name={`${path}tagIds`}
          label={t.tags}
          chosen={which.tagIds ?? []}
          options={tags.map(({ id, name }) => ({ value: id, label: name }))}
        />
      )}
      {!without.includes('sentiments') && (
        <Choices
          name={`${path}sentiments`}
          label={t.sentiments}
          chosen={which.sentiments ?? []}
          options={SENTIMENTS.map((value) => ({ value, label: shell.sentiment[value] }))}
        />
      )}
      {!without.includes('statuses') && (
        <Choices
          name={`${path}statuses`}
          label={t.statuses}
          chosen={which.statuses ?? []}
          options={STATUSES.map((value) => ({ value, label: shell.status[value] }))}
        />
      )}
      <Columns>
        <Field
          name={`${path}ratingGte`}
          label={t.least}
          type="number"
          min={0}
          max={10}
          defaultValue={which.ratingGte ?? ''}
        />
        <Field
          name={`${path}ratingLte`}
          label={t.most}
          type="number"
          min={0}
          max={10}
          defaultValue={which.ratingLte ?? ''}
        />
      </Columns>
    </>
  );
}
