import { useState } from 'react';
import { useQuery } from 'urql';
import { Title } from '../../app/Title';
import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { ApiKeyFragment } from '../../gql/graphql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { Actions, Badge } from '../../ui/Actions';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Code } from '../../ui/Copy';
import { Confirm, Dialog } from '../../ui/Dialog';
import { Moment } from '../../ui/Moment';
import { useOutcome } from '../../ui/outcome';
import { Empty, Failed, Loading } from '../../ui/states';
import { Table } from '../../ui/Table';
import { KeyForm } from './KeyForm';
import { MESSAGES } from './messages';
import { Rotate } from './Rotate';

const KEYS = graphql(`
  query ApiKeys($slug: String!) {
    workspace(slug: $slug) {
      id
      apiKeys {
        ...ApiKey
      }
    }
  }
`);

export const KEY = graphql(`
  fragment ApiKey on ApiKey {
    id
    name
    prefix
    scopes
    createdAt
    lastUsedAt
    expiresAt
    allowedIps
    overlapEndsAt
    revokedAt
  }
`);

const REVOKE = graphql(`
  mutation RevokeApiKey($input: RevokeApiKeyInput!) {
    revokeApiKey(input: $input) {
      ... on RevokeApiKeySuccess {
        apiKey {
          ...ApiKey
        }
      }
      ...Refusal
    }
  }
`);

type Open =
  | { what: 'make' }
  | { what: 'secret'; secret: string }
  | { what: 'change' | 'rotate' | 'revoke'; key: ApiKeyFragment };

export default function ApiKeys() {
  const t = useMessages(MESSAGES);
  const format = useFormat();
  const { slug } = useWorkspace();
  const revoke = useMutate(REVOKE);
  const say = useOutcome();
  const [open, setOpen] = useState<Open | undefined>();
  const [{ data, error }, ask] = useQuery({ query: KEYS, variables: { slug }, requestPolicy: 'cache-and-network' });
  const keys = data?.workspace?.apiKeys;
  const close = () => setOpen(undefined);
  const show = (secret: string) => setOpen({ what: 'secret', secret });

  async function end(key: ApiKeyFragment) {
    say(problemIn((await revoke({ input: { apiKeyId: key.id } }))?.revokeApiKey), t.revoked);
  }

  const make = (
    <Button kind="primary" icon="plus" onClick={() => setOpen({ what: 'make' })}>
      {t.make}
    </Button>
  );
  return (
    <>
      <Title actions={make}>{t.title}</Title>
      {keys ? (
        <Card>
          {keys.length ? (
            <Table
              caption={t.title}
              rows={keys}
              id={({ id }) => id}
              columns={[
                { key: 'name', title: t.name, cell: ({ name }) => name },
                { key: 'prefix', title: t.prefix, cell: ({ prefix }) => <code>{prefix}</code> },
                { key: 'scopes', title: t.scopes, cell: ({ scopes }) => scopes.join(', ') },
                {
                  key: 'used',
                  title: t.used,
                  cell: ({ lastUsedAt }) => (lastUsedAt ? <Moment at={lastUsedAt} /> : t.never),
                },
                {
                  key: 'ends',
                  title: t.state,
                  cell: ({ revokedAt, expiresAt, overlapEndsAt }) => {
                    if (revokedAt) return <Badge kind="bad">{t.isRevoked}</Badge>;
                    if (expiresAt && Date.parse(expiresAt) < Date.now()) return <Badge kind="bad">{t.expired}</Badge>;
                    return (
                      <>
                        <Badge kind="good">{t.good}</Badge> {expiresAt && t.until(format.date(expiresAt))}{' '}
                        {overlapEndsAt && t.overlap(format.moment(overlapEndsAt))}
                      </>
                    );
                  },
                },
                {
                  key: 'actions',
                  title: t.do,
                  cell: (key) =>
                    !key.revokedAt && (
                      <Actions>
                        <Button onClick={() => setOpen({ what: 'change', key })}>{t.change}</Button>
                        <Button onClick={() => setOpen({ what: 'rotate', key })}>{t.rotate}</Button>
                        <Button onClick={() => setOpen({ what: 'revoke', key })}>{t.revoke}</Button>
                      </Actions>
                    ),
                },
              ]}
            />
          ) : (
            <Empty icon="key" title={t.none}>
              {t.noneText}
            </Empty>
          )}
        </Card>
      ) : error ? (
        <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />
      ) : (
        <Loading lines={6} />
      )}
      {open?.what === 'make' && <KeyForm onMade={show} onClose={close} />}
      {open?.what === 'change' && <KeyForm apiKey={open.key} onMade={show} onClose={close} />}
      {open?.what === 'rotate' && <Rotate apiKey={open.key} onMade={show} onClose={close} />}
      {open?.what === 'secret' && (
        <Dialog title={t.secretTitle} onClose={close}>
          <p>{t.secretText}</p>
          <Code text={open.secret} label={t.copy} />
          <Button kind="primary" onClick={close}>
            {t.kept}
          </Button>
        </Dialog>
      )}
      {open?.what === 'revoke' && (
        <Confirm title={t.revokeTitle(open.key.name)} action={t.revoke} onConfirm={() => end(open.key)} onClose={close}>
          {t.revokeText}
        </Confirm>
      )}
    </>
  );
}
