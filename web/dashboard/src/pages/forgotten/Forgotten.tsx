import { useState } from 'react';
import { Link } from 'wouter';
import { useSession } from '../../app/session';
import { Title } from '../../app/Title';
import { graphql } from '../../gql';
import { type Problem, problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { catalogue, useMessages } from '../../i18n/catalogue';
import { Card } from '../../ui/Card';
import { Field, Form, type Values } from '../../ui/Form';
import { Narrow, Notice } from '../../ui/Narrow';

const REQUEST = graphql(`
  mutation RequestPasswordReset($input: RequestPasswordResetInput!) {
    requestPasswordReset(input: $input) {
      ... on RequestPasswordResetSuccess {
        ok
      }
      ...Refusal
    }
  }
`);

const MESSAGES = catalogue({ en: () => import('./messages.en'), de: () => import('./messages.de') });

export default function Forgotten() {
  const t = useMessages(MESSAGES);
  const { user } = useSession();
  const request = useMutate(REQUEST);
  const [sentTo, setSentTo] = useState('');

  async function ask(values: Values): Promise<Problem | undefined> {
    const email = values.text('email');
    const problem = problemIn((await request({ input: { email } }))?.requestPasswordReset);
    if (!problem) setSentTo(email);
    return problem;
  }

  return (
    <Narrow>
      <Title>{t.title}</Title>
      {sentTo && <Notice>{t.sent(sentTo)}</Notice>}
      <Card>
        <p>{t.text}</p>
        <Form onSubmit={ask} submit={t.submit}>
          <Field
            name="email"
            label={t.email}
            type="email"
            autoComplete="username"
            defaultValue={user?.email ?? ''}
            required
          />
        </Form>
      </Card>
      {!user && (
        <p>
          <Link href="/login">{t.back}</Link>
        </p>
      )}
    </Narrow>
  );
}
