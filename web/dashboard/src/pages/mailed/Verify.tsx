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

const VERIFY = graphql(`
  mutation VerifyEmail($input: VerifyEmailInput!) {
    verifyEmail(input: $input) {
      ... on VerifyEmailSuccess {
        user {
          id
          emailVerified
        }
      }
      ...Refusal
    }
  }
`);

export default function Verify() {
  const t = useMessages(MESSAGES);
  const token = useToken();
  const verify = useMutate(VERIFY);
  const [isDone, setDone] = useState(false);

  async function confirm() {
    const problem = problemIn((await verify({ input: { token } }))?.verifyEmail);
    setDone(!problem);
    return problem;
  }

  return (
    <Linked title={t.verify}>
      {isDone ? (
        <>
          <Notice>{t.verified}</Notice>
          <p>
            <Link href="/">{t.goOn}</Link>
          </p>
        </>
      ) : (
        <>
          <p>{t.verifyText}</p>
          <Form onSubmit={confirm} submit={t.confirm} problems={{ InvalidCredentials: t.voidLink }}>
            {null}
          </Form>
        </>
      )}
    </Linked>
  );
}
