import { useRef, useState } from 'react';
import { useLocation } from 'wouter';
import { useChoices } from '../../app/triage';
import { useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { AlertConditionInput, AlertPreviewFragment, AlertRuleRowFragment } from '../../gql/graphql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Checkbox, Choices, Field, Form, Select, type Values } from '../../ui/Form';
import { Group } from '../../ui/Group';
import { Stack } from '../../ui/Stack';
import { useToast } from '../../ui/toast';
import { channelsIn, conditionIn, placed } from './input';
import { MESSAGES } from './messages';
import { Preview } from './Preview';
import { RuleFields } from './RuleFields';

const CREATE = graphql(`
  mutation CreateAlertRule($input: CreateAlertRuleInput!) {
    createAlertRule(input: $input) {
      ... on CreateAlertRuleSuccess {
        alertRule {
          ...AlertRuleRow
        }
      }
      ...Refusal
    }
  }
`);

const UPDATE = graphql(`
  mutation UpdateAlertRule($input: UpdateAlertRuleInput!) {
    updateAlertRule(input: $input) {
      ... on UpdateAlertRuleSuccess {
        alertRule {
          ...AlertRuleRow
        }
      }
      ...Refusal
    }
  }
`);

const PREVIEW = graphql(`
  mutation PreviewAlertRule($input: PreviewAlertRuleInput!) {
    previewAlertRule(input: $input) {
      ... on PreviewAlertRuleSuccess {
        ...AlertPreview
      }
      ...Refusal
    }
  }
`);

const PERIODS = [7, 30, 92] as const;
const DAY = 86_400_000;

interface Tried {
  rule: AlertConditionInput;
  preview: AlertPreviewFragment;
  days: number;
}

/** Makes a rule, or changes the one that is given; either can be tried over the past before it is saved. */
export function RuleForm({ rule }: { rule?: AlertRuleRowFragment }) {
  const t = useMessages(MESSAGES);
  const { id: workspaceId, slug } = useWorkspace();
  const { members } = useChoices();
  const [, go] = useLocation();
  const toast = useToast();
  const create = useMutate(CREATE);
  const update = useMutate(UPDATE);
  const preview = useMutate(PREVIEW);
  const [tried, setTried] = useState<Tried | undefined>();
  const isTrying = useRef(false);
  const told = members.filter(({ user }) => rule?.channels.userIds.includes(user.id)).map(({ id }) => id);

  async function save(values: Values) {
    const input = { name: values.text('name'), rule: conditionIn(values), channels: channelsIn(values) };
    const answer = rule
      ? (await update({ input: { alertRuleId: rule.id, ...input } }))?.updateAlertRule
      : (await create({ input: { workspaceId, ...input } }))?.createAlertRule;
    if (answer && 'alertRule' in answer) {
      toast({ text: t.saved });
      go(`/w/${slug}/alerts/rules/${answer.alertRule.id}`);
    }
    return problemIn(answer);
  }

  async function tryOut(values: Values) {
    const days = values.number('days') ?? 30;
    const to = new Date();
    const from = new Date(to.getTime() - days * DAY);
    const wanted = conditionIn(values);
    const input = { workspaceId, rule: wanted, from: from.toISOString(), to: to.toISOString() };
    const answer = (await preview({ input }))?.previewAlertRule;
    if (answer?.__typename === 'PreviewAlertRuleSuccess') setTried({ rule: wanted, preview: answer, days });
    return problemIn(answer);
  }

  async function submitted(values: Values) {
    const isTry = isTrying.current;
    isTrying.current = false;
    return placed(await (isTry ? tryOut(values) : save(values)));
  }

  return (
    <Stack>
      <Card>
        <Form
          onSubmit={submitted}
          submit={rule ? t.save : t.makeIt}
          problems={{ Conflict: t.tooMany }}
          also={
            <Button
              icon="chart"
              onClick={({ currentTarget }) => {
                isTrying.current = currentTarget.form?.checkValidity() ?? false;
                currentTarget.form?.requestSubmit();
              }}
            >
              {t.preview}
            </Button>
          }
        >
          <Field name="name" label={t.name} maxLength={200} defaultValue={rule?.name} required />
          <RuleFields condition={rule?.condition} />
          <Group label={t.channels}>
            <Checkbox name="channels.admins" label={t.admins} defaultChecked={rule?.channels.admins ?? true} />
            {members.length > 0 && (
              <Choices
                name="channels.memberIds"
                label={t.members}
                chosen={told}
                options={members.map(({ id, user }) => ({ value: id, label: user.name }))}
              />
            )}
            <Field
              name="channels.slackUrl"
              label={t.slackUrl}
              hint={t.urlHint}
              type="url"
              defaultValue={rule?.channels.slackUrl ?? ''}
            />
            <Field
              name="channels.webhookUrl"
              label={t.webhookUrl}
              hint={t.urlHint}
              type="url"
              defaultValue={rule?.channels.webhookUrl ?? ''}
            />
          </Group>
          <Select name="days" label={t.previewDays} defaultValue={30}>
            {PERIODS.map((days) => (
              <option key={days}>{days}</option>
            ))}
          </Select>
        </Form>
      </Card>
      {tried && <Preview {...tried} />}
    </Stack>
  );
}
