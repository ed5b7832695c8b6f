import { useState } from 'react';
import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { SourceProvider } from '../../gql/graphql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Dialog } from '../../ui/Dialog';
import { Field, Form, Select, TextField, type Values } from '../../ui/Form';
import { Stack } from '../../ui/Stack';
import { type MadeKind, sourceInput } from './input';
import { MESSAGES } from './messages';

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
    return problemIn(answer);
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
          {kind === 'FORM' && (
            <Field
              name="form.origins"
              label={t.origins}
              hint={t.originsHint}
              placeholder="https://www.example.com"
              required
            />
          )}
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
          {kind === 'WEBHOOK' && provider === 'GENERIC' && (
            <>
              <Select name="generic.scheme" label={t.scheme}>
                <option value="HMAC">{t.schemes.HMAC}</option>
                <option value="BEARER">{t.schemes.BEARER}</option>
              </Select>
              <Field name="generic.header" label={t.header} placeholder="X-Shop-Signature" />
              <Field name="generic.prefix" label={t.prefix} placeholder="sha256=" />
              <p>{t.mappingText}</p>
              <Field name="generic.mapping.body" label={t.mapping.body} placeholder="text" required />
              <Field name="generic.mapping.items" label={t.mapping.items} placeholder="reviews" />
              <Field name="generic.mapping.externalId" label={t.mapping.externalId} placeholder="id" />
              <Field name="generic.mapping.rating" label={t.mapping.rating} placeholder="stars" />
              <Field name="generic.mapping.authorName" label={t.mapping.authorName} placeholder="by.name" />
              <Field name="generic.mapping.authorEmail" label={t.mapping.authorEmail} placeholder="by.email" />
              <Field name="generic.mapping.occurredAt" label={t.mapping.occurredAt} placeholder="created" />
              <TextField
                name="generic.mapping.metadata"
                label={t.mapping.metadata}
                placeholder="{plan: account.plan}"
                rows={2}
              />
            </>
          )}
        </Stack>
      </Form>
    </Dialog>
  );
}
