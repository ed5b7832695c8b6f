import { useState } from 'react';
import { Link } from 'wouter';
import { graphql } from '../../gql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Card } from '../../ui/Card';
import { Field, Form, type Values } from '../../ui/Form';
import { useOutcome } from '../../ui/outcome';
import { MESSAGES } from './messages';

const CHANGE = graphql(`
  mutation ChangePassword($input: ChangePasswordInput!) {
    changePassword(input: $input) {
      ... on ChangePasswordSuccess {
        ok
      }
      ...Refusal
    }
  }
`);

export function Password({ onChange }: { onChange: () => void }) {
  const t = useMessages(MESSAGES);
  const change = useMutate(CHANGE);
  const say = useOutcome();
  // A form that has done its work is replaced by an empty one.
  const [turn, setTurn] = useState(0);

  async function set(values: Values) {
    const input = { currentPassword: values.text('currentPassword'), newPassword: values.text('newPassword') };
    const problem = problemIn((await change({ input }))?.changePassword);
    if (!problem) {
      say(problem, t.passwordChanged);
      setTurn(turn + 1);
      onChange();
    }
    return problem;
  }

  return (
    <Card title={t.password}>
      <p>{t.passwordText}</p>
      <Form
        key={turn}
        onSubmit={set}
        submit={t.changePassword}
        problems={{ InvalidCredentials: t.wrongPassword }}
        also={<Link href="/forgotten-password">{t.noPassword}</Link>}
      >
        <Field
          name="currentPassword"
          label={t.currentPassword}
          type="password"
          autoComplete="current-password"
          required
        />
        <Field
          name="newPassword"
          label={t.newPassword}
          hint={t.passwordHint}
          type="password"
          autoComplete="new-password"
          required
        />
      </Form>
    </Card>
  );
}
