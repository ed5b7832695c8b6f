import { useState } from 'react';
import { useMay, useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { InvitationFragment } from '../../gql/graphql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { Actions, Badge } from '../../ui/Actions';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Confirm } from '../../ui/Dialog';
import { Field, Form, Select, type Values } from '../../ui/Form';
import { useOutcome } from '../../ui/outcome';
import { Empty } from '../../ui/states';
import { Table } from '../../ui/Table';
import { MESSAGES } from './messages';
import { ROLES, type Role } from './table';

export const INVITATION = graphql(`
  fragment Invitation on Invitation {
    id
    email
    role
    expiresAt
    invitedBy {
      id
      name
    }
  }
`);

const INVITE = graphql(`
  mutation InviteMember($input: InviteMemberInput!) {
    inviteMember(input: $input) {
      ... on InviteMemberSuccess {
        invitation {
          ...Invitation
        }
      }
      ...Refusal
    }
  }
`);

const RESEND = graphql(`
  mutation ResendInvitation($input: ResendInvitationInput!) {
    resendInvitation(input: $input) {
      ... on ResendInvitationSuccess {
        invitation {
          ...Invitation
        }
      }
      ...Refusal
    }
  }
`);

const REVOKE = graphql(`
  mutation RevokeInvitation($input: RevokeInvitationInput!) {
    revokeInvitation(input: $input) {
      ... on RevokeInvitationSuccess {
        invitationId
      }
      ...Refusal
    }
  }
`);

export function Invitations({ invitations }: { invitations: readonly InvitationFragment[] }) {
  const t = useMessages(MESSAGES);
  const format = useFormat();
  const { id: workspaceId } = useWorkspace();
  const isOwner = useMay('OWNER');
  const invite = useMutate(INVITE);
  const resend = useMutate(RESEND);
  const revoke = useMutate(REVOKE);
  const say = useOutcome();
  const [turn, setTurn] = useState(0);
  const [going, setGoing] = useState<InvitationFragment | undefined>();

  async function send(values: Values) {
    const email = values.text('email');
    const answer = await invite({ input: { workspaceId, email, role: values.text('role') as Role } });
    const problem = problemIn(answer?.inviteMember);
    if (!problem) {
      say(problem, t.invited(email));
      setTurn(turn + 1);
    }
    return problem;
  }

  async function again({ id, email }: InvitationFragment) {
    say(problemIn((await resend({ input: { invitationId: id } }))?.resendInvitation), t.invited(email));
  }

  async function takeBack() {
    say(problemIn((await revoke({ input: { invitationId: going?.id ?? '' } }))?.revokeInvitation), t.revoked);
  }

  return (
    <Card title={t.invitations}>
      <Form
        key={turn}
        onSubmit={send}
        submit={t.invite}
        problems={{ Conflict: t.isMember, Forbidden: t.inviteForbidden }}
      >
        <Field name="email" label={t.email} type="email" required />
        <Select name="role" label={t.role} defaultValue="ANALYST">
          {ROLES.slice(0, isOwner ? 4 : 3).map((role) => (
            <option key={role} value={role}>
              {t.roles[role]}
            </option>
          ))}
        </Select>
      </Form>
      {invitations.length ? (
        <Table
          caption={t.invitations}
          rows={invitations}
          id={({ id }) => id}
          columns={[
            { key: 'email', title: t.email, cell: ({ email }) => email },
            { key: 'role', title: t.role, cell: ({ role }) => t.roles[role] },
            { key: 'by', title: t.invitedBy, cell: ({ invitedBy }) => invitedBy?.name ?? '–' },
            {
              key: 'expires',
              title: t.goodUntil,
              cell: ({ expiresAt }) =>
                Date.parse(expiresAt) < Date.now() ? <Badge>{t.expired}</Badge> : format.moment(expiresAt),
            },
            {
              key: 'actions',
              title: t.do,
              cell: (invitation) =>
                (isOwner || invitation.role !== 'OWNER') && (
                  <Actions>
                    <Button onClick={() => void again(invitation)}>{t.resend}</Button>
                    <Button onClick={() => setGoing(invitation)}>{t.revoke}</Button>
                  </Actions>
                ),
            },
          ]}
        />
      ) : (
        <Empty icon="people" title={t.noInvitations}>
          {t.noInvitationsText}
        </Empty>
      )}
      {going && (
        <Confirm title={t.revokeTitle} action={t.revoke} onConfirm={takeBack} onClose={() => setGoing(undefined)}>
          {t.revokeText(going.email)}
        </Confirm>
      )}
    </Card>
  );
}
