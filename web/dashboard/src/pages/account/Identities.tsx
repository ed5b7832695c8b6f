import { useState } from 'react';
import { graphql } from '../../gql';
import type { IdentityFragment } from '../../gql/graphql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Confirm } from '../../ui/Dialog';
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

interface Props {
  identities: readonly IdentityFragment[];
  onChange: () => void;
}

/** The providers by which the reader signs in. */
export function Identities({ identities, onChange }: Props) {
  const t = useMessages(MESSAGES);
  const unlink = useMutate(UNLINK);
  const say = useOutcome();
  const [leaving, setLeaving] = useState<IdentityFragment | undefined>();

  async function part() {
    const answer = await unlink({ input: { identityId: leaving?.id ?? '' } });
    say(problemIn(answer?.unlinkIdentity), t.unlinked, { Conflict: t.lastWay });
    onChange();
  }

  return (
    <Card title={t.identities}>
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
      {leaving && (
        <Confirm title={t.unlink} action={t.unlink} onConfirm={part} onClose={() => setLeaving(undefined)}>
          {t.unlinkText(leaving.issuer)}
        </Confirm>
      )}
    </Card>
  );
}
