import { useState } from 'react';
import { useQuery } from 'urql';
import { Link } from 'wouter';
import { Title } from '../../app/Title';
import { useMay, useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Moment } from '../../ui/Moment';
import { Empty, Failed, Loading } from '../../ui/states';
import { Table } from '../../ui/Table';
import { Health } from './Health';
import { MESSAGES } from './messages';
import { Secret } from './Secret';
import { SourceForm } from './SourceForm';

const SOURCES = graphql(`
  query Sources($slug: String!) {
    workspace(slug: $slug) {
      id
      sources {
        ...SourceRow
      }
    }
  }
`);

export const SOURCE = graphql(`
  fragment SourceRow on Source {
    id
    name
    kind
    provider
    health {
      lastReceivedAt
      perHour
      goneQuiet
      quarantined
      refusedLastDay
      lastRefusal
      lastRefusedAt
    }
  }
`);

export default function Sources() {
  const t = useMessages(MESSAGES);
  const format = useFormat();
  const { slug } = useWorkspace();
  const mayManage = useMay('ADMIN');
  const [isMaking, setMaking] = useState(false);
  const [secret, setSecret] = useState<string | undefined>();
  const [{ data, error }, ask] = useQuery({ query: SOURCES, variables: { slug }, requestPolicy: 'cache-and-network' });
  const sources = data?.workspace?.sources;

  const make = mayManage && (
    <Button kind="primary" icon="plus" onClick={() => setMaking(true)}>
      {t.make}
    </Button>
  );
  return (
    <>
      <Title actions={make}>{t.title}</Title>
      {sources ? (
        <Card>
          {sources.length ? (
            <Table
              caption={t.title}
              rows={sources}
              id={({ id }) => id}
              columns={[
                {
                  key: 'name',
                  title: t.name,
                  cell: ({ id, name }) => <Link href={`/w/${slug}/sources/${id}`}>{name}</Link>,
                },
                {
                  key: 'kind',
                  title: t.kind,
                  cell: ({ kind, provider }) => (kind === 'WEBHOOK' ? t.providers[provider] : t.kinds[kind]),
                },
                { key: 'health', title: t.health, cell: ({ health }) => <Health health={health} /> },
                {
                  key: 'last',
                  title: t.last,
                  cell: ({ health }) => (health.lastReceivedAt ? <Moment at={health.lastReceivedAt} /> : t.never),
                },
                { key: 'hour', title: t.perHour, cell: ({ health }) => format.decimal(health.perHour), numeric: true },
              ]}
            />
          ) : (
            <Empty icon="plug" title={t.none}>
              {t.noneText}
            </Empty>
          )}
        </Card>
      ) : error ? (
        <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />
      ) : (
        <Loading lines={6} />
      )}
      {isMaking && (
        <SourceForm
          onMade={(made) => {
            setMaking(false);
            setSecret(made ?? undefined);
          }}
          onClose={() => setMaking(false)}
        />
      )}
      {secret && <Secret secret={secret} onClose={() => setSecret(undefined)} />}
    </>
  );
}
