import { lazy, Suspense, useState } from 'react';
import { graphql } from '../../gql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Actions, Badge } from '../../ui/Actions';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Code } from '../../ui/Copy';
import { Dialog } from '../../ui/Dialog';
import { Field, Form, type Values } from '../../ui/Form';
import { useOutcome } from '../../ui/outcome';
import { Loading } from '../../ui/states';
import { MESSAGES } from './messages';

const START = graphql(`
  mutation StartTotp($input: StartTotpInput!) {
    startTotp(input: $input) {
      ... on StartTotpSuccess {
        secret
        otpauthUrl
      }
      ...Refusal
    }
  }
`);

const CONFIRM = graphql(`
  mutation ConfirmTotp($input: ConfirmTotpInput!) {
    confirmTotp(input: $input) {
      ... on ConfirmTotpSuccess {
        recoveryCodes
      }
      ...Refusal
    }
  }
`);

const REPLACE = graphql(`
  mutation RegenerateRecoveryCodes($input: RegenerateRecoveryCodesInput!) {
    regenerateRecoveryCodes(input: $input) {
      ... on RegenerateRecoveryCodesSuccess {
        recoveryCodes
      }
      ...Refusal
    }
  }
`);

const DISABLE = graphql(`
  mutation DisableTotp($input: DisableTotpInput!) {
    disableTotp(input: $input) {
      ... on DisableTotpSuccess {
        ok
      }
      ...Refusal
    }
  }
`);

const QrCode = lazy(() => import('./QrCode'));

interface Props {
  isOn: boolean;
  isVerified: boolean;
  onChange: () => void;
}

type Step =
  | { at: 'start' | 'replace' | 'disable' }
  | { at: 'scan'; secret: string; url: string }
  | { at: 'codes'; codes: readonly string[] };

export function SecondFactor({ isOn, isVerified, onChange }: Props) {
  const t = useMessages(MESSAGES);
  const start = useMutate(START);
  const confirm = useMutate(CONFIRM);
  const replace = useMutate(REPLACE);
  const disable = useMutate(DISABLE);
  const say = useOutcome();
  const [step, setStep] = useState<Step | undefined>();
  const close = () => setStep(undefined);

  async function begin(values: Values) {
    const answer = (await start({ input: { password: values.text('password') } }))?.startTotp;
    if (answer?.__typename === 'StartTotpSuccess') {
      setStep({ at: 'scan', secret: answer.secret, url: answer.otpauthUrl });
    }
    return problemIn(answer);
  }

  async function enable(values: Values) {
    const answer = (await confirm({ input: { code: values.text('code').trim() } }))?.confirmTotp;
    if (answer?.__typename === 'ConfirmTotpSuccess') {
      setStep({ at: 'codes', codes: answer.recoveryCodes });
      onChange();
    }
    return problemIn(answer);
  }

  async function renew(values: Values) {
    const answer = (await replace({ input: proof(values) }))?.regenerateRecoveryCodes;
    if (answer?.__typename === 'RegenerateRecoveryCodesSuccess') {
      setStep({ at: 'codes', codes: answer.recoveryCodes });
    }
    return problemIn(answer);
  }

  async function stop(values: Values) {
    const problem = problemIn((await disable({ input: proof(values) }))?.disableTotp);
    if (!problem) {
      close();
      say(problem, t.totpStopped);
      onChange();
    }
    return problem;
  }

  const password = (
    <Field name="password" label={t.yourPassword} type="password" autoComplete="current-password" required />
  );
  const code = <Field name="code" label={t.code} hint={t.codeHint} autoComplete="one-time-code" required />;
  return (
    <Card title={t.totp}>
      <p>
        <Badge kind={isOn ? 'good' : 'plain'}>{isOn ? t.totpOn : t.totpOff}</Badge>
      </p>
      <p>{isOn ? t.totpOnText : isVerified ? t.totpOffText : t.totpNeedsVerified}</p>
      <Actions>
        {isOn && <Button onClick={() => setStep({ at: 'replace' })}>{t.newCodes}</Button>}
        {isOn && (
          <Button kind="danger" onClick={() => setStep({ at: 'disable' })}>
            {t.totpStop}
          </Button>
        )}
        {!isOn && isVerified && <Button onClick={() => setStep({ at: 'start' })}>{t.totpStart}</Button>}
      </Actions>
      {step && (
        <Dialog title={t.steps[step.at]} onClose={close}>
          {step.at === 'start' && (
            <Form onSubmit={begin} submit={t.goOn} problems={{ InvalidCredentials: t.wrongPassword }}>
              {password}
            </Form>
          )}
          {step.at === 'scan' && (
            <>
              <p>{t.scan}</p>
              <Suspense fallback={<Loading lines={6} />}>
                <QrCode text={step.url} label={t.qrCode} />
              </Suspense>
              <p>{t.orType}</p>
              <Code text={step.secret} label={t.copySecret} />
              <Form key="scan" onSubmit={enable} submit={t.totpFinish} problems={{ InvalidCredentials: t.wrongCode }}>
                <Field
                  name="code"
                  label={t.code}
                  hint={t.codeOfApp}
                  inputMode="numeric"
                  autoComplete="one-time-code"
                  required
                />
              </Form>
            </>
          )}
          {step.at === 'codes' && (
            <>
              <p>{t.codesText}</p>
              <Code text={step.codes.join('\n')} label={t.copyCodes} />
              <Button kind="primary" onClick={close}>
                {t.codesKept}
              </Button>
            </>
          )}
          {step.at === 'replace' && (
            <Form key="replace" onSubmit={renew} submit={t.newCodes} problems={{ InvalidCredentials: t.wrongProof }}>
              {password}
              {code}
            </Form>
          )}
          {step.at === 'disable' && (
            <>
              <p>{t.totpStopText}</p>
              <Form key="disable" onSubmit={stop} submit={t.totpStop} problems={{ InvalidCredentials: t.wrongProof }}>
                {password}
                {code}
              </Form>
            </>
          )}
        </Dialog>
      )}
    </Card>
  );
}

const proof = (values: Values) => ({ password: values.text('password'), code: values.text('code').trim() });
