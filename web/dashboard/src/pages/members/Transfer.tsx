import { useSession } from '../../app/session';
import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { MemberFragment } from '../../gql/graphql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Dialog } from '../../ui/Dialog';
import { Field, Form, type Values } from '../../ui/Form';
import { MESSAGES } from './messages';

const TRANSFER = graphql(`
  mutation TransferOwnership($input: TransferOwnershipInput!) {
    transferOwnership(input: $input) {
      ... on TransferOwnershipSuccess {
        workspace {
          id
        }
      }
      ...Refusal
    }
  }
`);

/** Hands the workspace over; the password is what confirms it. */
export function Transfer({ heir, onClose }: { heir: MemberFragment; onClose: () => void }) {
  const t = useMessages(MESSAGES);
  const { id } = useWorkspace();
  const { changed } = useSession();
  const transfer = useMutate(TRANSFER);

  async function hand(values: Values) {
    const input = { workspaceId: id, memberId: heir.id, password: values.text('password') };
    const problem = problemIn((await transfer({ input }))?.transferOwnership);
    if (!problem) {
      onClose();
      changed();
    }
    return problem;
  }

  return (
    <Dialog title={t.transferTitle(heir.user.name)} onClose={onClose}>
      <p>{t.transferText}</p>
      <Form onSubmit={hand} submit={t.transfer} problems={{ InvalidCredentials: t.wrongPassword }}>
        <Field name="password" label={t.yourPassword} type="password" autoComplete="current-password" required />
      </Form>
    </Dialog>
  );
}
