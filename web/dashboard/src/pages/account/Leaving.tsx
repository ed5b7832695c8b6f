import { useState } from 'react';
import { useSession } from '../../app/session';
import { graphql } from '../../gql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Dialog } from '../../ui/Dialog';
import { Field, Form, type Values } from '../../ui/Form';
import { MESSAGES } from './messages';

const DELETE = graphql(`
  mutation DeleteAccount($input: DeleteAccountInput!) {
    deleteAccount(input: $input) {
      ... on DeleteAccountSuccess {
        ok
      }
      ...Refusal
    }
  }
`);

/** The password is what confirms it. */
export function Leaving() {
  const t = useMessages(MESSAGES);
  const { changed } = useSession();
  const remove = useMutate(DELETE);
  const [asks, setAsks] = useState(false);

  async function leave(values: Values) {
    const problem = problemIn((await remove({ input: { password: values.text('password') } }))?.deleteAccount);
    if (!problem) changed();
    return problem;
  }

  return (
    <Card title={t.leaving}>
      <p>{t.leavingText}</p>
      <Button kind="danger" icon="trash" onClick={() => setAsks(true)}>
        {t.deleteAccount}
      </Button>
      {asks && (
        <Dialog title={t.deleteAccount} onClose={() => setAsks(false)}>
          <p>{t.leavingText}</p>
          <Form
            onSubmit={leave}
            submit={t.deleteForGood}
            problems={{ InvalidCredentials: t.wrongPassword, Conflict: t.onlyOwner }}
          >
            <Field name="password" label={t.yourPassword} type="password" autoComplete="current-password" required />
          </Form>
        </Dialog>
      )}
    </Card>
  );
}
