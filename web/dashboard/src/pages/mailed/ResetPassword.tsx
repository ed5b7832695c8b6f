import { useState } from 'react';
import { Link } from 'wouter';
import { graphql } from '../../gql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Field, Form, type Values } from '../../ui/Form';
import { Notice } from '../../ui/Narrow';
import { MESSAGES } from './messages';
import { Linked, useToken } from './token';

const RESET = graphql(`
  mutation ResetPassword($input: ResetPasswordInput!) {
    resetPassword(input: $input) {
      ... on ResetPasswordSuccess {
        ok
      }
      ...Refusal
    }
  }
`);

export default function ResetPassword() {
  const t = useMessages(MESSAGES);
  const token = useToken();
  const reset = useMutate(RESET);
  const [isDone, setDone] = useState(false);

  async function set(values: Values) {
    const answer = await reset({ input: { token, newPassword: values.text('newPassword') } });
    const problem = problemIn(answer?.resetPassword);
    setDone(!problem);
    return problem;
  }

  return (
    <Linked title={t.reset}>
      {isDone ? (
        <>
          <Notice>{t.wasReset}</Notice>
          <p>
            <Link href="/login">{t.signIn}</Link>
          </p>
        </>
      ) : (
        <Form onSubmit={set} submit={t.setPassword} problems={{ InvalidCredentials: t.voidLink }}>
          <Field
            name="newPassword"
            label={t.newPassword}
            hint={t.passwordHint}
            type="password"
            autoComplete="new-password"
            required
          />
        </Form>
      )}
    </Linked>
  );
}
