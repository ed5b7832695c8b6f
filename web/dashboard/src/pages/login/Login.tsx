import { useState } from 'react';
import { useQuery } from 'urql';
import { Link, useSearch } from 'wouter';
import { useSession } from '../../app/session';
import { Title } from '../../app/Title';
import { graphql } from '../../gql';
import { type Problem, problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { catalogue, useMessages } from '../../i18n/catalogue';
import { Card } from '../../ui/Card';
import { Field, Form, type Values } from '../../ui/Form';
import { Narrow, Notice } from '../../ui/Narrow';

const PROVIDERS = graphql(`
  query IdentityProviders {
    identityProviders {
      id
      name
      startUrl
    }
  }
`);

const LOGIN = graphql(`
  mutation Login($input: LoginInput!) {
    login(input: $input) {
      ... on LoginSuccess {
        user {
          id
        }
      }
      ...Refusal
    }
  }
`);

const MESSAGES = catalogue({ en: () => import('./messages.en'), de: () => import('./messages.de') });

export default function Login() {
  const t = useMessages(MESSAGES);
  const { hasEnded, changed } = useSession();
  const login = useMutate(LOGIN);
  const to = new URLSearchParams(useSearch()).get('to') ?? '/';
  const [takesCode, setTakesCode] = useState(false);
  const [{ data }] = useQuery({ query: PROVIDERS });

  async function signIn(values: Values): Promise<Problem | undefined> {
    const input = { email: values.text('email'), password: values.text('password'), cookies: true };
    const code = values.maybe('code');
    const answer = await login({ input: { ...input, ...(code !== undefined && { code }) } });
    const problem = problemIn(answer?.login);
    if (!problem) {
      changed();
    }
    if (problem?.kind === 'SecondFactorRequired') {
      setTakesCode(true);
    }
    return problem;
  }

  return (
    <Narrow>
      <Title>{t.title}</Title>
      {hasEnded && <Notice>{t.ended}</Notice>}
      <Card>
        <Form onSubmit={signIn} submit={t.submit} problems={{ InvalidCredentials: takesCode ? t.wrongCode : t.wrong }}>
          <Field name="email" label={t.email} type="email" autoComplete="username" required />
          <Field name="password" label={t.password} type="password" autoComplete="current-password" required />
          {takesCode && (
            <Field name="code" label={t.code} hint={t.codeHint} autoComplete="one-time-code" required autoFocus />
          )}
        </Form>
        {data?.identityProviders.map(({ id, name, startUrl }) => (
          <p key={id}>
            {t.or} <a href={`${startUrl}?return_to=${encodeURIComponent(to)}`}>{t.provider(name)}</a>
          </p>
        ))}
      </Card>
      <p>
        <Link href="/forgotten-password">{t.forgotten}</Link>
      </p>
      <p>
        {t.noAccount} <Link href="/register">{t.register}</Link>
      </p>
    </Narrow>
  );
}
