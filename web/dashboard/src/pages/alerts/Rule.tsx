import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { useFilterWords } from '../../app/filter/words';
import { JobState } from '../../app/job/JobState';
import { Title } from '../../app/Title';
import { useMay, useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { JobStateFragment } from '../../gql/graphql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { useLanguage } from '../../i18n/language';
import { Actions, Badge } from '../../ui/Actions';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Confirm, Dialog } from '../../ui/Dialog';
import { useOutcome } from '../../ui/outcome';
import { Stack } from '../../ui/Stack';
import { Empty, Failed, Loading } from '../../ui/states';
import { AlertList } from './AlertList';
import { Channels } from './Channels';
import { told } from './condition';
import styles from './Facts.module.css';
import { MESSAGES } from './messages';
import { useRule } from './useRule';

const PAUSE = graphql(`
  mutation PauseAlertRule($input: UpdateAlertRuleInput!) {
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

const DELETE = graphql(`
  mutation DeleteAlertRule($input: DeleteAlertRuleInput!) {
    deleteAlertRule(input: $input) {
      ... on DeleteAlertRuleSuccess {
        alertRuleId
      }
      ...Refusal
    }
  }
`);

const TEST = graphql(`
  mutation TestAlertChannels($input: TestAlertChannelsInput!) {
    testAlertChannels(input: $input) {
      ... on TestAlertChannelsSuccess {
        jobs {
          ...JobState
        }
      }
      ...Refusal
    }
  }
`);

export default function Rule() {
  const t = useMessages(MESSAGES);
  const format = useFormat();
  const { locale } = useLanguage();
  const { slug } = useWorkspace();
  const mayManage = useMay('ADMIN');
  const which = useFilterWords();
  const [, go] = useLocation();
  const pause = useMutate(PAUSE);
  const remove = useMutate(DELETE);
  const test = useMutate(TEST);
  const say = useOutcome();
  const [asks, setAsks] = useState(false);
  const [tests, setTests] = useState<readonly JobStateFragment[] | undefined>();
  const { rule, error, again } = useRule();

  async function turn(alertRuleId: string, enabled: boolean) {
    const answer = (await pause({ input: { alertRuleId, enabled } }))?.updateAlertRule;
    say(problemIn(answer), enabled ? t.wasResumed : t.wasPaused);
  }

  async function end(alertRuleId: string) {
    const problem = problemIn((await remove({ input: { alertRuleId } }))?.deleteAlertRule);
    if (say(problem, t.deleted)) go(`/w/${slug}/alerts`);
  }

  async function tryOut(alertRuleId: string) {
    const answer = (await test({ input: { alertRuleId } }))?.testAlertChannels;
    if (answer?.__typename === 'TestAlertChannelsSuccess') setTests(answer.jobs);
    else say(problemIn(answer), t.testSent, { Conflict: t.noChannels, RateLimited: t.tooManyTests });
  }

  return (
    <>
      <p>
        <Link href={`/w/${slug}/alerts`}>{t.title}</Link>
      </p>
      <Title>{rule?.name ?? t.rule}</Title>
      {rule ? (
        <Stack>
          <Card>
            <dl className={styles.facts}>
              <dt>{t.state}</dt>
              <dd>
                <Badge kind={rule.enabled ? 'good' : 'plain'}>{rule.enabled ? t.watches : t.paused}</Badge>
              </dd>
              <dt>{t.when}</dt>
              <dd>{told(rule.condition, t, locale, format)}</dd>
              <dt>{t.which}</dt>
              <dd>{which(rule.condition.filter)}</dd>
              <dt>{t.whom}</dt>
              <dd>
                <Channels channels={rule.channels} />
              </dd>
            </dl>
            {mayManage && (
              <Actions>
                <Button onClick={() => go(`/w/${slug}/alerts/rules/${rule.id}/edit`)}>{t.change}</Button>
                <Button onClick={() => void turn(rule.id, !rule.enabled)}>{rule.enabled ? t.pause : t.resume}</Button>
                <Button onClick={() => void tryOut(rule.id)}>{t.test}</Button>
                <Button kind="danger" icon="trash" onClick={() => setAsks(true)}>
                  {t.delete}
                </Button>
              </Actions>
            )}
          </Card>
          <AlertList ruleId={rule.id} />
        </Stack>
      ) : rule === null ? (
        <Empty icon="bell" title={t.noSuchRule} />
      ) : error ? (
        <Failed error={error} retry={again} />
      ) : (
        <Loading lines={8} />
      )}
      {rule && asks && (
        <Confirm title={t.deleteTitle} action={t.delete} onConfirm={() => end(rule.id)} onClose={() => setAsks(false)}>
          {t.deleteText}
        </Confirm>
      )}
      {tests && <Tests jobs={tests} onClose={() => setTests(undefined)} />}
    </>
  );
}

function Tests({ jobs, onClose }: { jobs: readonly JobStateFragment[]; onClose: () => void }) {
  const t = useMessages(MESSAGES);
  return (
    <Dialog title={t.testTitle} onClose={onClose}>
      <p>{t.testSent}</p>
      <ul>
        {jobs.map((job) => (
          <li key={job.id}>
            <code>{job.kind}</code> <JobState job={job} />
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
