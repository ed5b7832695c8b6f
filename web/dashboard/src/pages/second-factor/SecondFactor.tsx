import { Link, useLocation, useSearch } from 'wouter';
import { ours } from '../../app/ours';
import { useSession } from '../../app/session';
import { Title } from '../../app/Title';
import { graphql } from '../../gql';
import { type Problem, problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { catalogue, useMessages } from '../../i18n/catalogue';
import { Card } from '../../ui/Card';
import { Field, Form, type Values } from '../../ui/Form';
import { Narrow } from '../../ui/Narrow';

const COMPLETE = graphql(`
  mutation CompleteSignIn($input: CompleteSignInInput!) {
    completeSignIn(input: $input) {
      ... on CompleteSignInSuccess {
        user {
          id
        }
      }
      ...Refusal
    }
  }
`);

const MESSAGES = catalogue({ en: () => import('./messages.en'), de: () => import('./messages.de') });

/** Who comes from a provider, and has a second factor, shows it here. */
export default function SecondFactor() {
  const t = useMessages(MESSAGES);
  const { changed } = useSession();
  const complete = useMutate(COMPLETE);
  const [, go] = useLocation();
  const to = ours(new URLSearchParams(useSearch()).get('return_to'));

  async function enter(values: Values): Promise<Problem | undefined> {
    const answer = await complete({ input: { code: values.text('code').trim() } });
    const problem = problemIn(answer?.completeSignIn);
    if (!problem) {
      go(to, { replace: true });
      changed();
    }
    return problem;
  }

  return (
    <Narrow>
      <Title>{t.title}</Title>
      <Card>
        <Form onSubmit={enter} submit={t.submit} problems={{ InvalidCredentials: t.wrong, Forbidden: t.late }}>
          <Field name="code" label={t.code} hint={t.hint} autoComplete="one-time-code" required autoFocus />
        </Form>
      </Card>
      <p>
        <Link href="/login">{t.anew}</Link>
      </p>
    </Narrow>
  );
}
