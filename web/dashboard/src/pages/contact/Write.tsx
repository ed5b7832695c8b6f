import { useState } from 'react';
import { useParams } from 'wouter';
import { useSession } from '../../app/session';
import { Title } from '../../app/Title';
import { graphql } from '../../gql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Card } from '../../ui/Card';
import { Field, Form, TextField, type Values } from '../../ui/Form';
import { Narrow } from '../../ui/Narrow';
import { MESSAGES } from './messages';
import { Sent } from './Sent';

const SUBMIT = graphql(`
  mutation SubmitContact($input: SubmitContactInput!) {
    submitContact(input: $input) {
      ... on SubmitContactSuccess {
        job {
          ...JobState
        }
      }
      ...Refusal
    }
  }
`);

const LONGEST = 10_000;

/** The public contact form of a workspace: for everybody, signed in or not. */
export default function Write() {
  const t = useMessages(MESSAGES);
  const { workspace: workspaceSlug = '' } = useParams<{ workspace: string }>();
  const { user } = useSession();
  const submit = useMutate(SUBMIT);
  const [sent, setSent] = useState<{ jobId: string; email: string } | undefined>();

  async function send(values: Values) {
    const email = values.text('email');
    const input = { workspaceSlug, name: values.text('name'), email, message: values.text('message') };
    const result = (await submit({ input }))?.submitContact;
    if (result?.__typename === 'SubmitContactSuccess') setSent({ jobId: result.job.id, email });
    return problemIn(result);
  }

  return (
    <Narrow>
      <Title>{t.write}</Title>
      <Card>
        {sent ? (
          <Sent {...sent} onAnother={() => setSent(undefined)} />
        ) : (
          <>
            <p>{t.to(workspaceSlug)}</p>
            <Form onSubmit={send} submit={t.send} problems={{ NotFound: t.nobody }}>
              <Field
                name="name"
                label={t.name}
                autoComplete="name"
                maxLength={200}
                defaultValue={user?.name}
                required
              />
              <Field
                name="email"
                label={t.email}
                hint={t.emailHint}
                type="email"
                autoComplete="email"
                defaultValue={user?.email}
                required
              />
              <TextField name="message" label={t.message} rows={8} maxLength={LONGEST} required />
            </Form>
          </>
        )}
      </Card>
    </Narrow>
  );
}
