import { useState } from 'react';
import { graphql } from '../../gql';
import type { SessionRowFragment } from '../../gql/graphql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Badge } from '../../ui/Actions';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Confirm } from '../../ui/Dialog';
import { Moment } from '../../ui/Moment';
import { useOutcome } from '../../ui/outcome';
import { Table } from '../../ui/Table';
import { deviceOf } from './device';
import { MESSAGES } from './messages';

export const SESSION = graphql(`
  fragment SessionRow on Session {
    id
    createdAt
    lastSeenAt
    userAgent
    ip
    current
  }
`);

const REVOKE = graphql(`
  mutation RevokeSession($input: RevokeSessionInput!) {
    revokeSession(input: $input) {
      ... on RevokeSessionSuccess {
        sessionId
      }
      ...Refusal
    }
  }
`);

const REVOKE_OTHERS = graphql(`
  mutation RevokeOtherSessions {
    revokeOtherSessions {
      ... on RevokeOtherSessionsSuccess {
        sessionIds
      }
      ...Refusal
    }
  }
`);

interface Props {
  sessions: readonly SessionRowFragment[];
  onChange: () => void;
}

/** Where the reader is signed in. */
export function Sessions({ sessions, onChange }: Props) {
  const t = useMessages(MESSAGES);
  const revoke = useMutate(REVOKE);
  const revokeOthers = useMutate(REVOKE_OTHERS);
  const say = useOutcome();
  const [ending, setEnding] = useState<SessionRowFragment | 'others' | undefined>();
  const named = ({ userAgent }: SessionRowFragment) => deviceOf(userAgent) ?? t.unknownDevice;

  async function end() {
    const problem =
      ending === 'others'
        ? problemIn((await revokeOthers({}))?.revokeOtherSessions)
        : problemIn((await revoke({ input: { sessionId: ending?.id ?? '' } }))?.revokeSession);
    say(problem, t.sessionEnded);
    onChange();
  }

  return (
    <Card
      title={t.sessions}
      actions={sessions.length > 1 && <Button onClick={() => setEnding('others')}>{t.endOthers}</Button>}
    >
      <Table
        caption={t.sessions}
        rows={sessions}
        id={({ id }) => id}
        columns={[
          { key: 'device', title: t.device, cell: named },
          { key: 'ip', title: t.address, cell: ({ ip }) => ip ?? '–' },
          { key: 'since', title: t.since, cell: ({ createdAt }) => <Moment at={createdAt} /> },
          { key: 'seen', title: t.lastSeen, cell: ({ lastSeenAt }) => <Moment at={lastSeenAt} /> },
          {
            key: 'end',
            title: t.end,
            cell: (session) =>
              session.current ? (
                <Badge kind="good">{t.thisOne}</Badge>
              ) : (
                <Button aria-label={t.endSession(named(session))} onClick={() => setEnding(session)}>
                  {t.end}
                </Button>
              ),
          },
        ]}
      />
      {ending && (
        <Confirm
          title={ending === 'others' ? t.endOthers : t.endSession(named(ending))}
          action={t.end}
          onConfirm={end}
          onClose={() => setEnding(undefined)}
        >
          {t.endText}
        </Confirm>
      )}
    </Card>
  );
}
