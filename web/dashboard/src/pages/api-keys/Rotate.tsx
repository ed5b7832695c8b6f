import { graphql } from '../../gql';
import type { ApiKeyFragment } from '../../gql/graphql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Dialog } from '../../ui/Dialog';
import { Field, Form, type Values } from '../../ui/Form';
import { MESSAGES } from './messages';

const ROTATE = graphql(`
  mutation RotateApiKey($input: RotateApiKeyInput!) {
    rotateApiKey(input: $input) {
      ... on RotateApiKeySuccess {
        apiKey {
          ...ApiKey
        }
        secret
      }
      ...Refusal
    }
  }
`);

interface Props {
  apiKey: ApiKeyFragment;
  onMade: (secret: string) => void;
  onClose: () => void;
}

export function Rotate({ apiKey, onMade, onClose }: Props) {
  const t = useMessages(MESSAGES);
  const rotate = useMutate(ROTATE);

  async function turn(values: Values) {
    const input = { apiKeyId: apiKey.id, overlapHours: values.number('overlapHours') ?? 0 };
    const answer = (await rotate({ input }))?.rotateApiKey;
    if (answer?.__typename === 'RotateApiKeySuccess') onMade(answer.secret);
    return problemIn(answer);
  }

  return (
    <Dialog title={t.rotateTitle(apiKey.name)} onClose={onClose}>
      <p>{t.rotateText}</p>
      <Form onSubmit={turn} submit={t.rotate}>
        <Field name="overlapHours" label={t.overlapHours} type="number" min={0} max={168} defaultValue={24} required />
      </Form>
    </Dialog>
  );
}
