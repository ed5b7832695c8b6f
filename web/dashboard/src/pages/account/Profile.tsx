import { graphql } from '../../gql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Card } from '../../ui/Card';
import { Field, Form, type Values } from '../../ui/Form';
import { useOutcome } from '../../ui/outcome';
import { MESSAGES } from './messages';

const UPDATE = graphql(`
  mutation UpdateProfile($input: UpdateProfileInput!) {
    updateProfile(input: $input) {
      ... on UpdateProfileSuccess {
        user {
          id
          name
        }
      }
      ...Refusal
    }
  }
`);

export function Profile({ name }: { name: string }) {
  const t = useMessages(MESSAGES);
  const update = useMutate(UPDATE);
  const say = useOutcome();

  async function save(values: Values) {
    const problem = problemIn((await update({ input: { name: values.text('name') } }))?.updateProfile);
    if (!problem) say(problem, t.saved);
    return problem;
  }

  return (
    <Card title={t.profile}>
      <Form onSubmit={save} submit={t.save}>
        <Field name="name" label={t.name} defaultValue={name} autoComplete="name" maxLength={200} required />
      </Form>
    </Card>
  );
}
