import { useState } from 'react';
import { useQuery } from 'urql';
import { useLocation } from 'wouter';
import { useSession, useUser } from '../../app/session';
import { Title } from '../../app/Title';
import { useMay, useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { MemberFragment } from '../../gql/graphql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Actions } from '../../ui/Actions';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Confirm } from '../../ui/Dialog';
import { Moment } from '../../ui/Moment';
import { useOutcome } from '../../ui/outcome';
import { Stack } from '../../ui/Stack';
import { Failed, Loading } from '../../ui/states';
import { Table } from '../../ui/Table';
import { Invitations } from './Invitations';
import { MESSAGES } from './messages';
import { RoleSelect } from './RoleSelect';
import { Transfer } from './Transfer';
import type { Role } from './table';

const MEMBERS = graphql(`
  query Members($slug: String!) {
    workspace(slug: $slug) {
      id
      members {
        ...Member
      }
      invitations {
        ...Invitation
      }
    }
  }
`);

export const MEMBER = graphql(`
  fragment Member on Member {
    id
    role
    joinedAt
    user {
      id
      name
      email
    }
  }
`);

const CHANGE = graphql(`
  mutation ChangeMemberRole($input: ChangeMemberRoleInput!) {
    changeMemberRole(input: $input) {
      ... on ChangeMemberRoleSuccess {
        member {
          id
          role
        }
      }
      ...Refusal
    }
  }
`);

const REMOVE = graphql(`
  mutation RemoveMember($input: RemoveMemberInput!) {
    removeMember(input: $input) {
      ... on RemoveMemberSuccess {
        memberId
      }
      ...Refusal
    }
  }
`);

export default function Members() {
  const t = useMessages(MESSAGES);
  const { slug } = useWorkspace();
  const { changed } = useSession();
  const me = useUser();
  const mayManage = useMay('ADMIN');
  const isOwner = useMay('OWNER');
  const change = useMutate(CHANGE);
  const remove = useMutate(REMOVE);
  const say = useOutcome();
  const [, go] = useLocation();
  const [leaving, setLeaving] = useState<MemberFragment | undefined>();
  const [heir, setHeir] = useState<MemberFragment | undefined>();
  const [{ data, error }, ask] = useQuery({
    query: MEMBERS,
    variables: { slug },
    requestPolicy: 'cache-and-network',
  });
  const again = () => ask({ requestPolicy: 'network-only' });
  const workspace = data?.workspace;
  const mayChange = (member: MemberFragment) => isOwner || (mayManage && member.role !== 'OWNER');

  async function give(member: MemberFragment, role: Role) {
    const problem = problemIn((await change({ input: { memberId: member.id, role } }))?.changeMemberRole);
    if (say(problem, t.roleChanged, { Conflict: t.lastOwner }) && member.user.id === me.id) changed();
  }

  async function part() {
    const problem = problemIn((await remove({ input: { memberId: leaving?.id ?? '' } }))?.removeMember);
    if (say(problem, t.removed, { Conflict: t.lastOwner }) && leaving?.user.id === me.id) {
      go('/workspaces');
      changed();
    }
  }

  return (
    <>
      <Title>{t.title}</Title>
      {workspace ? (
        <Stack>
          <Card>
            <Table
              caption={t.title}
              rows={workspace.members}
              id={({ id }) => id}
              columns={[
                { key: 'name', title: t.name, cell: ({ user }) => user.name },
                { key: 'email', title: t.email, cell: ({ user }) => user.email },
                { key: 'joined', title: t.joined, cell: ({ joinedAt }) => <Moment at={joinedAt} /> },
                {
                  key: 'role',
                  title: t.role,
                  cell: (member) =>
                    mayChange(member) ? (
                      <RoleSelect
                        label={t.roleOf(member.user.name)}
                        role={member.role}
                        highest={isOwner ? 'OWNER' : 'ADMIN'}
                        onChange={(role) => void give(member, role)}
                      />
                    ) : (
                      t.roles[member.role]
                    ),
                },
                {
                  key: 'actions',
                  title: t.do,
                  cell: (member) => {
                    const isMe = member.user.id === me.id;
                    return (
                      <Actions>
                        {isOwner && !isMe && member.role !== 'OWNER' && (
                          <Button onClick={() => setHeir(member)}>{t.transfer}</Button>
                        )}
                        {(isMe || mayChange(member)) && (
                          <Button onClick={() => setLeaving(member)}>{isMe ? t.leave : t.remove}</Button>
                        )}
                      </Actions>
                    );
                  },
                },
              ]}
            />
          </Card>
          {mayManage && <Invitations invitations={workspace.invitations} />}
        </Stack>
      ) : error ? (
        <Failed error={error} retry={again} />
      ) : (
        <Loading lines={8} />
      )}
      {leaving && (
        <Confirm
          title={leaving.user.id === me.id ? t.leaveTitle : t.removeTitle(leaving.user.name)}
          action={leaving.user.id === me.id ? t.leave : t.remove}
          onConfirm={part}
          onClose={() => setLeaving(undefined)}
        >
          {t.removeText}
        </Confirm>
      )}
      {heir && <Transfer heir={heir} onClose={() => setHeir(undefined)} />}
    </>
  );
}
