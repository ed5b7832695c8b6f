import { useState } from 'react';
import { useQuery } from 'urql';
import { Link } from 'wouter';
import { Title } from '../../app/Title';
import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import { useMessages } from '../../i18n/catalogue';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Empty, Failed, Loading } from '../../ui/states';
import { Table } from '../../ui/Table';
import { EndpointForm } from './EndpointForm';
import { MESSAGES } from './messages';
import { Secret, type Secrets } from './Secret';
import { State } from './State';

const WEBHOOKS = graphql(`
  query Webhooks($slug: String!) {
    workspace(slug: $slug) {
      id
      webhooks {
        ...Webhook
      }
    }
  }
`);

export const WEBHOOK = graphql(`
  fragment Webhook on Webhook {
    id
    name
    url
    eventTypes
    selection
    ratePerSecond
    algorithm
    enabled
    disabledReason
    failingSince
    pausedUntil
  }
`);

export default function Webhooks() {
  const t = useMessages(MESSAGES);
  const { slug } = useWorkspace();
  const [isMaking, setMaking] = useState(false);
  const [secrets, setSecrets] = useState<Secrets | undefined>();
  const [{ data, error }, ask] = useQuery({ query: WEBHOOKS, variables: { slug }, requestPolicy: 'cache-and-network' });
  const webhooks = data?.workspace?.webhooks;

  const make = (
    <Button kind="primary" icon="plus" onClick={() => setMaking(true)}>
      {t.make}
    </Button>
  );
  return (
    <>
      <Title actions={make}>{t.title}</Title>
      {webhooks ? (
        <Card>
          {webhooks.length ? (
            <Table
              caption={t.title}
              rows={webhooks}
              id={({ id }) => id}
              columns={[
                {
                  key: 'name',
                  title: t.name,
                  cell: ({ id, name }) => <Link href={`/w/${slug}/webhooks/${id}`}>{name}</Link>,
                },
                { key: 'url', title: t.url, cell: ({ url }) => <code>{url}</code> },
                {
                  key: 'events',
                  title: t.events,
                  cell: ({ eventTypes }) => eventTypes.map((each) => t.eventTypes[each]).join(', '),
                },
                { key: 'state', title: t.state, cell: (webhook) => <State webhook={webhook} /> },
              ]}
            />
          ) : (
            <Empty icon="hook" title={t.none}>
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
        <EndpointForm
          onMade={(made) => {
            setMaking(false);
            setSecrets(made);
          }}
          onClose={() => setMaking(false)}
        />
      )}
      {secrets && <Secret secrets={secrets} onClose={() => setSecrets(undefined)} />}
    </>
  );
}
