import { Link, useLocation } from 'wouter';
import { useSession } from '../../app/session';
import { graphql } from '../../gql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Field, Form, type Values } from '../../ui/Form';
import { MESSAGES } from './messages';
import { Linked, useToken } from './token';

const ACCEPT = graphql(`
  mutation AcceptInvitation($input: AcceptInvitationInput!) {
    acceptInvitation(input: $input) {
      ... on AcceptInvitationSuccess {
        workspace {
          id
          slug
        }
      }
      ...Refusal
    }
  }
`);

export default function AcceptInvitation() {
  const t = useMessages(MESSAGES);
  const { user, changed } = useSession();
  const token = useToken();
  const accept = useMutate(ACCEPT);
  const [, go] = useLocation();

  async function enter(values: Values) {
    const somebodyNew = user ? {} : { name: values.text('name'), password: values.text('password'), cookies: true };
    const answer = (await accept({ input: { token, ...somebodyNew } }))?.acceptInvitation;
    if (answer?.__typename === 'AcceptInvitationSuccess') {
      go(`/w/${answer.workspace.slug}`, { replace: true });
      changed();
    }
    return problemIn(answer);
  }

  const here = `/account/accept-invitation?token=${encodeURIComponent(token)}`;
  const problems = { InvalidCredentials: t.voidInvitation, Forbidden: t.forAnother, Conflict: t.hasAccount };
  return (
    <Linked title={t.accept}>
      {user ? (
        <>
          <p>{t.acceptAs(user.email)}</p>
          <Form onSubmit={enter} submit={t.acceptIt} problems={problems}>
            {null}
          </Form>
        </>
      ) : (
        <>
          <p>
            {t.known} <Link href={`/login?to=${encodeURIComponent(here)}`}>{t.signIn}</Link>
          </p>
          <p>{t.somebodyNew}</p>
          <Form onSubmit={enter} submit={t.acceptIt} problems={problems}>
            <Field name="name" label={t.name} autoComplete="name" maxLength={200} required />
            <Field
              name="password"
              label={t.password}
              hint={t.passwordHint}
              type="password"
              autoComplete="new-password"
              required
            />
          </Form>
        </>
      )}
    </Linked>
  );
}
