import { useState } from 'react';
import { useQuery } from 'urql';
import { Link, useLocation, useParams } from 'wouter';
import { Title } from '../../app/Title';
import { useMay, useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { Actions } from '../../ui/Actions';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Code } from '../../ui/Copy';
import { Confirm, Dialog } from '../../ui/Dialog';
import { Field, Form, type Values } from '../../ui/Form';
import { useOutcome } from '../../ui/outcome';
import { Stack } from '../../ui/Stack';
import { Empty, Failed, Loading } from '../../ui/states';
import { Change } from './Change';
import { Embed } from './Embed';
import { Facts } from './Facts';
import { Health } from './Health';
import { MESSAGES } from './messages';
import { Quarantine } from './Quarantine';
import { Secret } from './Secret';

const SOURCE = graphql(`
  query OneSource($id: ID!) {
    node(id: $id) {
      ... on Source {
        ...SourceDetail
      }
    }
  }
`);

export const DETAIL = graphql(`
  fragment SourceDetail on Source {
    ...SourceRow
    ingestUrl
    formScriptUrl
    publishableKey
    deliveriesPerMinute
    settings
    masking {
      kinds
      authors
      reversible
    }
    health {
      usualPauseSeconds
      quietSince
    }
  }
`);

const ROTATE = graphql(`
  mutation RotateSourceSecret($input: RotateSourceSecretInput!) {
    rotateSourceSecret(input: $input) {
      ... on RotateSourceSecretSuccess {
        source {
          id
          formScriptUrl
          publishableKey
        }
        signingSecret
      }
      ...Refusal
    }
  }
`);

const DELETE = graphql(`
  mutation DeleteSource($input: DeleteSourceInput!) {
    deleteSource(input: $input) {
      ... on DeleteSourceSuccess {
        sourceId
      }
      ...Refusal
    }
  }
`);

export default function Source() {
  const t = useMessages(MESSAGES);
  const format = useFormat();
  const { slug } = useWorkspace();
  const mayManage = useMay('ADMIN');
  const { sourceId = '' } = useParams<{ sourceId: string }>();
  const [, go] = useLocation();
  const rotate = useMutate(ROTATE);
  const remove = useMutate(DELETE);
  const say = useOutcome();
  const [open, setOpen] = useState<'rotate' | 'delete' | { sample?: string } | { secret: string } | undefined>();
  const close = () => setOpen(undefined);
  const [{ data, error }, ask] = useQuery({
    query: SOURCE,
    variables: { id: sourceId },
    requestPolicy: 'cache-and-network',
  });
  const source = data?.node?.__typename === 'Source' ? data.node : undefined;
  const again = () => ask({ requestPolicy: 'network-only' });

  async function renew(values: Values) {
    const secret = values.maybe('secret');
    // A form's key before is void at once.
    const overlapHours = values.number('overlapHours') ?? 0;
    const answer = await rotate({ input: { sourceId, overlapHours, ...(secret !== undefined && { secret }) } });
    const result = answer?.rotateSourceSecret;
    if (result?.__typename === 'RotateSourceSecretSuccess') {
      setOpen(result.signingSecret ? { secret: result.signingSecret } : undefined);
    }
    return problemIn(result);
  }

  async function end() {
    if (say(problemIn((await remove({ input: { sourceId } }))?.deleteSource), t.deleted)) go(`/w/${slug}/sources`);
  }

  return (
    <>
      <p>
        <Link href={`/w/${slug}/sources`}>{t.title}</Link>
      </p>
      <Title>{source?.name ?? t.source}</Title>
      {source ? (
        <Stack>
          <Card>
            <Health health={source.health} />
            <Facts source={source} />
            {source.health.lastRefusal && source.health.lastRefusedAt && (
              <p>{t.lastRefusal(format.moment(source.health.lastRefusedAt), source.health.lastRefusal)}</p>
            )}
            {source.ingestUrl && (
              <>
                <p>{t.ingestText}</p>
                <Code text={source.ingestUrl} label={t.copyUrl} />
              </>
            )}
            {source.kind === 'API' && (
              <>
                <p>{t.apiText}</p>
                <Code text={source.id} label={t.copyId} />
              </>
            )}
            {mayManage && (
              <Actions>
                <Button onClick={() => setOpen({})}>{t.change}</Button>
                {(source.kind === 'WEBHOOK' || source.kind === 'FORM') && (
                  <Button onClick={() => setOpen('rotate')}>{source.kind === 'FORM' ? t.rotateForm : t.rotate}</Button>
                )}
                <Button kind="danger" icon="trash" onClick={() => setOpen('delete')}>
                  {t.delete}
                </Button>
              </Actions>
            )}
          </Card>
          {source.kind === 'FORM' && <Embed source={source} />}
          {mayManage && (
            <Quarantine
              sourceId={sourceId}
              onChange={again}
              {...(source.provider === 'GENERIC' && { onMend: (sample: string) => setOpen({ sample }) })}
            />
          )}
        </Stack>
      ) : error ? (
        <Failed error={error} retry={again} />
      ) : data ? (
        <Empty icon="plug" title={t.gone} />
      ) : (
        <Loading lines={8} />
      )}
      {source && typeof open === 'object' && !('secret' in open) && (
        <Change source={source} {...open} onClose={close} />
      )}
      {source && open === 'rotate' && (
        <Dialog title={source.kind === 'FORM' ? t.rotateForm : t.rotate} onClose={close}>
          <p>{source.kind === 'FORM' ? t.rotateFormText : t.rotateText}</p>
          <Form onSubmit={renew} submit={source.kind === 'FORM' ? t.rotateForm : t.rotate}>
            {source.kind === 'WEBHOOK' && (
              <>
                <Field name="secret" label={t.secret} hint={t.secretHint} type="password" autoComplete="off" />
                <Field
                  name="overlapHours"
                  label={t.overlapHours}
                  type="number"
                  min={0}
                  max={168}
                  defaultValue={24}
                  required
                />
              </>
            )}
          </Form>
        </Dialog>
      )}
      {open === 'delete' && (
        <Confirm title={t.deleteTitle} action={t.delete} onConfirm={end} onClose={close}>
          {t.deleteText}
        </Confirm>
      )}
      {typeof open === 'object' && 'secret' in open && <Secret secret={open.secret} onClose={close} />}
    </>
  );
}
