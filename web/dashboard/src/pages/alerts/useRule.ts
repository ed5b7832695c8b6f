import { useQuery } from 'urql';
import { useParams } from 'wouter';
import { graphql } from '../../gql';

const ONE_RULE = graphql(`
  query OneAlertRule($id: ID!) {
    node(id: $id) {
      ... on AlertRule {
        ...AlertRuleRow
      }
    }
  }
`);

/** The rule that the address names: undefined while it is not known, null where there is none. */
export function useRule() {
  const { ruleId = '' } = useParams<{ ruleId: string }>();
  const [{ data, error }, ask] = useQuery({
    query: ONE_RULE,
    variables: { id: ruleId },
    requestPolicy: 'cache-and-network',
  });
  const rule = data && (data.node?.__typename === 'AlertRule' ? data.node : null);
  return { rule, error, again: () => ask({ requestPolicy: 'network-only' }) };
}
