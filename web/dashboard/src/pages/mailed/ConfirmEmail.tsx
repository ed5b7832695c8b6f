import { useState } from 'react';
import { Link } from 'wouter';
import { graphql } from '../../gql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Form } from '../../ui/Form';
import { Notice } from '../../ui/Narrow';
import { MESSAGES } from './messages';
import { Linked, useToken } from './token';

const CONFIRM = graphql(`
  mutation ConfirmEmailChange($input: ConfirmEmailChangeInput!) {
    confirmEmailChange(input: $input) {
      ... on ConfirmEmailChangeSuccess {
        user {
          id
          email
          emailVerified
        }
      }
      ...Refusal
    }
  }
`);

export default function ConfirmEmail() {
  const t = useMessages(MESSAGES);
  const token = useToken();
  const change = useMutate(CONFIRM);
  const [email, setEmail] = useState('');

  async function confirm() {
    const answer = (await change({ input: { token } }))?.confirmEmailChange;
    if (answer?.__typename === 'ConfirmEmailChangeSuccess') setEmail(answer.user.email);
    return problemIn(answer);
  }

  return (
    <Linked title={t.confirmEmail}>
      {email ? (
        <>
          <Notice>{t.emailChanged(email)}</Notice>
          <p>
            <Link href="/">{t.goOn}</Link>
          </p>
        </>
      ) : (
        <>
          <p>{t.confirmEmailText}</p>
          <Form
            onSubmit={confirm}
            submit={t.confirm}
            problems={{ InvalidCredentials: t.voidLink, Conflict: t.emailTaken }}
          >
            {null}
          </Form>
        </>
      )}
    </Linked>
  );
}
