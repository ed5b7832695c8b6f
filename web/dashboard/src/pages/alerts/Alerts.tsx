import { useQuery } from 'urql';
import { Link, useLocation } from 'wouter';
import { useFilterWords } from '../../app/filter/words';
import { Title } from '../../app/Title';
import { useMay, useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { useLanguage } from '../../i18n/language';
import { Badge } from '../../ui/Actions';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Moment } from '../../ui/Moment';
import { Stack } from '../../ui/Stack';
import { Empty, Failed, Loading } from '../../ui/states';
import { Table } from '../../ui/Table';
import { AlertList } from './AlertList';
import { Channels } from './Channels';
import { told } from './condition';
import { MESSAGES } from './messages';

const RULES = graphql(`
  query AlertRules($slug: String!) {
    workspace(slug: $slug) {
      id
      alertRules {
        ...AlertRuleRow
      }
    }
  }
`);

export default function Alerts() {
  const t = useMessages(MESSAGES);
  const format = useFormat();
  const { locale } = useLanguage();
  const { slug } = useWorkspace();
  const mayManage = useMay('ADMIN');
  const which = useFilterWords();
  const [, go] = useLocation();
  const [{ data, error }, ask] = useQuery({ query: RULES, variables: { slug }, requestPolicy: 'cache-and-network' });
  const rules = data?.workspace?.alertRules;
  const make = mayManage && (
    <Button kind="primary" icon="plus" onClick={() => go(`/w/${slug}/alerts/rules/new`)}>
      {t.make}
    </Button>
  );
  return (
    <>
      <Title actions={make}>{t.title}</Title>
      <Stack>
        <AlertList />
        <Card title={t.rules}>
          {rules ? (
            rules.length ? (
              <Table
                caption={t.rules}
                rows={rules}
                id={({ id }) => id}
                columns={[
                  {
                    key: 'name',
                    title: t.name,
                    cell: ({ id, name }) => <Link href={`/w/${slug}/alerts/rules/${id}`}>{name}</Link>,
                  },
                  {
                    key: 'when',
                    title: t.when,
                    cell: ({ condition }) => `${told(condition, t, locale, format)} · ${which(condition.filter)}`,
                  },
                  { key: 'whom', title: t.whom, cell: ({ channels }) => <Channels channels={channels} /> },
                  {
                    key: 'state',
                    title: t.state,
                    cell: ({ enabled }) => (
                      <Badge kind={enabled ? 'good' : 'plain'}>{enabled ? t.watches : t.paused}</Badge>
                    ),
                  },
                  {
                    key: 'last',
                    title: t.lastFired,
                    cell: ({ lastFiredAt }) => (lastFiredAt ? <Moment at={lastFiredAt} /> : t.never),
                  },
                ]}
              />
            ) : (
              <Empty icon="bell" title={t.noRules}>
                {t.noRulesText}
              </Empty>
            )
          ) : error ? (
            <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />
          ) : (
            <Loading lines={4} />
          )}
        </Card>
      </Stack>
    </>
  );
}
