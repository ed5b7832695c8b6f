import { useState } from 'react';
import { graphql } from '../../gql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Actions, Badge } from '../../ui/Actions';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Field, Form, type Values } from '../../ui/Form';
import { Notice } from '../../ui/Narrow';
import { useOutcome } from '../../ui/outcome';
import { MESSAGES } from './messages';

const VERIFY = graphql(`
  mutation RequestEmailVerification {
    requestEmailVerification {
      ... on RequestEmailVerificationSuccess {
        ok
      }
      ...Refusal
    }
  }
`);

const CHANGE = graphql(`
  mutation RequestEmailChange($input: RequestEmailChangeInput!) {
    requestEmailChange(input: $input) {
      ... on RequestEmailChangeSuccess {
        ok
      }
      ...Refusal
    }
  }
`);

export function Email({ email, isVerified }: { email: string; isVerified: boolean }) {
  const t = useMessages(MESSAGES);
  const verify = useMutate(VERIFY);
  const change = useMutate(CHANGE);
  const say = useOutcome();
  const [sentTo, setSentTo] = useState('');

  async function ask() {
    say(problemIn((await verify({}))?.requestEmailVerification), t.verificationSent(email));
  }

  async function request(values: Values) {
    const newEmail = values.text('newEmail');
    const answer = await change({ input: { newEmail, password: values.text('password') } });
    const problem = problemIn(answer?.requestEmailChange);
    setSentTo(problem ? '' : newEmail);
    return problem;
  }

  return (
    <Card title={t.email}>
      <Actions>
        <strong>{email}</strong>
        <Badge kind={isVerified ? 'good' : 'waiting'}>{isVerified ? t.verified : t.unverified}</Badge>
        {!isVerified && <Button onClick={() => void ask()}>{t.sendVerification}</Button>}
      </Actions>
      <h3>{t.changeEmail}</h3>
      {sentTo && <Notice>{t.changeSent(sentTo)}</Notice>}
      <Form onSubmit={request} submit={t.sendLink} problems={{ InvalidCredentials: t.wrongPassword }}>
        <Field name="newEmail" label={t.newEmail} type="email" autoComplete="email" required />
        <Field name="password" label={t.yourPassword} type="password" autoComplete="current-password" required />
      </Form>
    </Card>
  );
}
