import { useState } from 'react';
import { graphql } from '../../gql';
import type { IdentityFragment } from '../../gql/graphql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Confirm, Dialog } from '../../ui/Dialog';
import { Field, Form } from '../../ui/Form';
import { Moment } from '../../ui/Moment';
import { useOutcome } from '../../ui/outcome';
import { Table } from '../../ui/Table';
import { MESSAGES } from './messages';

export const IDENTITY = graphql(`
  fragment Identity on LinkedIdentity {
    id
    issuer
    email
    lastUsedAt
  }
`);

const UNLINK = graphql(`
  mutation UnlinkIdentity($input: UnlinkIdentityInput!) {
    unlinkIdentity(input: $input) {
      ... on UnlinkIdentitySuccess {
        identityId
      }
      ...Refusal
    }
  }
`);

const LINK = graphql(`
  mutation StartIdentityLink($input: StartIdentityLinkInput!) {
    startIdentityLink(input: $input) {
      ... on StartIdentityLinkSuccess {
        url
      }
      ...Refusal
    }
  }
`);

interface Provider {
  id: string;
  name: string;
}

interface Props {
  identities: readonly IdentityFragment[];
  providers: readonly Provider[];
  onChange: () => void;
}

/** The providers by which the reader signs in, or might. */
export function Identities({ identities, providers, onChange }: Props) {
  const t = useMessages(MESSAGES);
  const unlink = useMutate(UNLINK);
  const say = useOutcome();
  const [leaving, setLeaving] = useState<IdentityFragment | undefined>();
  const start = useMutate(LINK);
  const [proving, setProving] = useState<Provider | undefined>();

  async function part() {
    const answer = await unlink({ input: { identityId: leaving?.id ?? '' } });
    say(problemIn(answer?.unlinkIdentity), t.unlinked, { Conflict: t.lastWay });
    onChange();
  }

  /** Goes to the provider, or answers why not. */
  async function link({ id }: Provider, password?: string) {
    const input = { providerId: id, returnTo: '/account', ...(password !== undefined && { password }) };
    const answer = (await start({ input }))?.startIdentityLink;
    if (answer?.__typename === 'StartIdentityLinkSuccess') {
      location.assign(answer.url);
    }
    return problemIn(answer);
  }

  async function begin(provider: Provider) {
    const problem = await link(provider);
    if (problem?.kind === 'InvalidCredentials') {
      // The session is not of this moment: whoever found the screen unlocked shall not make a way in.
      setProving(provider);
    } else if (problem) {
      say(problem, '', { Conflict: t.verifyFirst });
    }
  }

  return (
    <Card title={t.identities}>
      {identities.length > 0 && (
        <Table
          caption={t.identities}
          rows={identities}
          id={({ id }) => id}
          columns={[
            { key: 'issuer', title: t.provider, cell: ({ issuer }) => issuer },
            { key: 'email', title: t.email, cell: ({ email }) => email ?? '–' },
            { key: 'used', title: t.lastUsed, cell: ({ lastUsedAt }) => <Moment at={lastUsedAt} /> },
            {
              key: 'unlink',
              title: t.unlink,
              cell: (identity) => <Button onClick={() => setLeaving(identity)}>{t.unlink}</Button>,
            },
          ]}
        />
      )}
      {providers.map((provider) => (
        <p key={provider.id}>
          <Button onClick={() => void begin(provider)}>{t.link(provider.name)}</Button>
        </p>
      ))}
      {proving && (
        <Dialog title={t.link(proving.name)} onClose={() => setProving(undefined)}>
          <p>{t.linkText(proving.name)}</p>
          <Form
            onSubmit={(values) => link(proving, values.text('password'))}
            submit={t.link(proving.name)}
            problems={{ InvalidCredentials: t.wrongPassword, Conflict: t.verifyFirst }}
          >
            <Field name="password" label={t.yourPassword} type="password" autoComplete="current-password" required />
          </Form>
        </Dialog>
      )}
      {leaving && (
        <Confirm title={t.unlink} action={t.unlink} onConfirm={part} onClose={() => setLeaving(undefined)}>
          {t.unlinkText(leaving.issuer)}
        </Confirm>
      )}
    </Card>
  );
}
