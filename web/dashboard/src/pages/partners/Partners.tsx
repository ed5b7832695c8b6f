import { useState } from 'react';
import { useQuery } from 'urql';
import { Link } from 'wouter';
import { Title } from '../../app/Title';
import { useMay, useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { Actions } from '../../ui/Actions';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Code } from '../../ui/Copy';
import { Moment } from '../../ui/Moment';
import { Stack } from '../../ui/Stack';
import { Empty, Failed, Loading } from '../../ui/states';
import { Table } from '../../ui/Table';
import { Changes } from './Changes';
import { Explore } from './Explore';
import { MESSAGES } from './messages';
import { RECIPES, type Recipe, recipe } from './recipes';
import { type Found, TryKey } from './TryKey';

const PARTNERS = graphql(`
  query Partners($slug: String!) {
    workspace(slug: $slug) {
      id
      apiKeys {
        id
        name
        prefix
        scopes
        lastUsedAt
        revokedAt
      }
    }
    rateLimit {
      limit
      remaining
      resetAt
    }
  }
`);

/** All that somebody needs who writes a program against the API. */
export default function Partners() {
  const t = useMessages(MESSAGES);
  const format = useFormat();
  const { slug, id } = useWorkspace();
  const mayManage = useMay('ADMIN');
  const [language, setLanguage] = useState<Recipe>('curl');
  const [found, setFound] = useState<Found | undefined>();
  const [{ data, error }, ask] = useQuery({ query: PARTNERS, variables: { slug }, requestPolicy: 'cache-and-network' });
  const keys = data?.workspace?.apiKeys.filter(({ revokedAt }) => !revokedAt);

  return (
    <>
      <Title>{t.title}</Title>
      <Stack>
        <TryKey found={found} onFound={setFound} />
        <Explore secret={found?.key} named={found?.viewer?.apiKey?.name} />
        <Card title={t.recipes}>
          <p>{t.recipesText}</p>
          <Actions>
            {RECIPES.map((each) => (
              <Button
                key={each}
                kind={each === language ? 'primary' : 'plain'}
                aria-pressed={each === language}
                onClick={() => setLanguage(each)}
              >
                {each}
              </Button>
            ))}
          </Actions>
          <Code text={recipe(language, `${location.origin}/graphql`, id, t.sample)} label={t.copy} />
        </Card>
        <Card title={t.keys} actions={mayManage && <Link href={`/w/${slug}/api-keys`}>{t.manage}</Link>}>
          {data && keys ? (
            <>
              {keys.length ? (
                <Table
                  caption={t.keys}
                  rows={keys}
                  id={(key) => key.id}
                  columns={[
                    { key: 'name', title: t.name, cell: ({ name }) => name },
                    { key: 'prefix', title: t.prefix, cell: ({ prefix }) => <code>{prefix}</code> },
                    { key: 'scopes', title: t.scopes, cell: ({ scopes }) => scopes.join(', ') },
                    {
                      key: 'used',
                      title: t.used,
                      cell: ({ lastUsedAt }) => (lastUsedAt ? <Moment at={lastUsedAt} /> : t.never),
                    },
                  ]}
                />
              ) : (
                <Empty icon="key" title={t.none}>
                  {mayManage ? t.noneText : t.askAdmin}
                </Empty>
              )}
              <p>
                {t.yours}{' '}
                {t.left(
                  format.number(data.rateLimit.remaining),
                  format.number(data.rateLimit.limit),
                  format.moment(data.rateLimit.resetAt),
                )}
              </p>
            </>
          ) : error ? (
            <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />
          ) : (
            <Loading lines={4} />
          )}
        </Card>
        <Changes />
      </Stack>
    </>
  );
}
