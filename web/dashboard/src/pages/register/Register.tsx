import { Link } from 'wouter';
import { useSession } from '../../app/session';
import { Title } from '../../app/Title';
import { graphql } from '../../gql';
import { type Problem, problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { catalogue, useMessages } from '../../i18n/catalogue';
import { Card } from '../../ui/Card';
import { Field, Form, type Values } from '../../ui/Form';
import { Narrow } from '../../ui/Narrow';

const REGISTER = graphql(`
  mutation Register($input: RegisterInput!) {
    register(input: $input) {
      ... on RegisterSuccess {
        user {
          id
        }
      }
      ...Refusal
    }
  }
`);

const ENTER = graphql(`
  mutation EnterNewAccount($input: LoginInput!) {
    login(input: $input) {
      __typename
    }
  }
`);

const MESSAGES = catalogue({ en: () => import('./messages.en'), de: () => import('./messages.de') });

export default function Register() {
  const t = useMessages(MESSAGES);
  const { changed } = useSession();
  const register = useMutate(REGISTER);
  const login = useMutate(ENTER);

  /** Registering sets no cookies, so it is followed by signing in. */
  async function enter(values: Values): Promise<Problem | undefined> {
    const [email, password] = [values.text('email'), values.text('password')];
    const answer = await register({ input: { name: values.text('name'), email, password } });
    const problem = problemIn(answer?.register);
    if (!problem) {
      await login({ input: { email, password, cookies: true } });
      changed();
    }
    return problem;
  }

  return (
    <Narrow>
      <Title>{t.title}</Title>
      <Card>
        <Form onSubmit={enter} submit={t.submit} problems={{ Conflict: t.taken }}>
          <Field name="name" label={t.name} autoComplete="name" maxLength={200} required />
          <Field name="email" label={t.email} type="email" autoComplete="username" required />
          <Field
            name="password"
            label={t.password}
            hint={t.passwordHint}
            type="password"
            autoComplete="new-password"
            required
          />
        </Form>
      </Card>
      <p>
        {t.hasAccount} <Link href="/login">{t.signIn}</Link>
      </p>
    </Narrow>
  );
}
