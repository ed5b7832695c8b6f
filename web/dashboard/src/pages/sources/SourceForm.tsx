import { useState } from 'react';
import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { SourceProvider } from '../../gql/graphql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Dialog } from '../../ui/Dialog';
import { Field, Form, Select, type Values } from '../../ui/Form';
import { Stack } from '../../ui/Stack';
import { FormFields } from './FormFields';
import { GenericFields } from './GenericFields';
import { folded, type MadeKind, sourceInput } from './input';
import { MESSAGES } from './messages';
import { Try } from './Try';

const CREATE = graphql(`
  mutation CreateSource($input: CreateSourceInput!) {
    createSource(input: $input) {
      ... on CreateSourceSuccess {
        source {
          ...SourceRow
        }
        signingSecret
      }
      ...Refusal
    }
  }
`);

const PROVIDERS: readonly SourceProvider[] = [
  'STANDARD',
  'GITHUB',
  'SLACK',
  'STRIPE',
  'TYPEFORM',
  'INTERCOM',
  'ZENDESK',
  'GENERIC',
];

interface Props {
  onMade: (secret: string | null) => void;
  onClose: () => void;
}

export function SourceForm({ onMade, onClose }: Props) {
  const t = useMessages(MESSAGES);
  const { id } = useWorkspace();
  const create = useMutate(CREATE);
  const [kind, setKind] = useState<MadeKind>('WEBHOOK');
  const [provider, setProvider] = useState<SourceProvider>('STANDARD');

  async function make(values: Values) {
    const answer = (await create({ input: { workspaceId: id, ...sourceInput(kind, provider, values) } }))?.createSource;
    if (answer?.__typename === 'CreateSourceSuccess') onMade(answer.signingSecret ?? null);
    return folded(problemIn(answer));
  }

  return (
    <Dialog title={t.make} onClose={onClose}>
      <Form onSubmit={make} submit={t.makeIt}>
        <Stack>
          <Field name="name" label={t.name} maxLength={200} required />
          <Select name="kind" label={t.kind} value={kind} onChange={({ target }) => setKind(target.value as MadeKind)}>
            <option value="WEBHOOK">{t.kinds.WEBHOOK}</option>
            <option value="FORM">{t.kinds.FORM}</option>
          </Select>
          {kind === 'FORM' && <FormFields />}
          {kind === 'WEBHOOK' && (
            <>
              <Select
                name="provider"
                label={t.provider}
                value={provider}
                onChange={({ target }) => setProvider(target.value as SourceProvider)}
              >
                {PROVIDERS.map((each) => (
                  <option key={each} value={each}>
                    {t.providers[each]}
                  </option>
                ))}
              </Select>
              <Field
                name="secret"
                label={t.secret}
                hint={t.secretHint}
                type="password"
                autoComplete="off"
                required={provider === 'GENERIC'}
              />
            </>
          )}
          {kind === 'WEBHOOK' && provider === 'GENERIC' && <GenericFields />}
          {kind === 'WEBHOOK' && provider === 'GENERIC' && <Try provider={provider} />}
        </Stack>
      </Form>
    </Dialog>
  );
}
