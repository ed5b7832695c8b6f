import { useState } from 'react';
import { FilterFields } from '../../app/filter/FilterFields';
import { SENTIMENTS } from '../../app/filter/values';
import { useChoices } from '../../app/triage';
import type { AlertKind, AlertMetric, AlertRuleRowFragment } from '../../gql/graphql';
import { useMessages } from '../../i18n/catalogue';
import { Checkbox, Choices, Field, Select } from '../../ui/Form';
import { Group } from '../../ui/Group';
import { Columns } from '../../ui/Stack';
import { TimeZoneField } from '../../ui/TimeZone';
import { KINDS, METRICS } from './input';
import { MESSAGES } from './messages';

type Condition = AlertRuleRowFragment['condition'];

/** What a rule goes by: its kind says which fields there are. */
export function RuleFields({ condition }: { condition?: Condition | undefined }) {
  const t = useMessages(MESSAGES);
  const [kind, setKind] = useState<AlertKind>(condition?.kind ?? 'COUNT');
  // What was filled in for another kind is no use to this one.
  const known = condition?.kind === kind ? condition : undefined;
  return (
    <>
      <Select
        name="rule.kind"
        label={t.kind}
        value={kind}
        onChange={({ target }) => setKind(target.value as AlertKind)}
      >
        {KINDS.map((each) => (
          <option key={each} value={each}>
            {t.kinds[each]}
          </option>
        ))}
      </Select>
      <Measured key={kind} kind={kind} known={known} />
    </>
  );
}

interface Props {
  kind: AlertKind;
  known: Condition | undefined;
}

function Measured({ kind, known }: Props) {
  const t = useMessages(MESSAGES);
  const [metric, setMetric] = useState<AlertMetric | undefined>(known?.metric ?? METRICS[kind][0]);
  const isShare = metric === 'SHARE';
  return (
    <>
      {METRICS[kind].length > 1 && (
        <Select
          name="rule.metric"
          label={t.metric}
          value={metric}
          onChange={({ target }) => setMetric(target.value as AlertMetric)}
        >
          {METRICS[kind].map((each) => (
            <option key={each} value={each}>
              {t.metrics[each]}
            </option>
          ))}
        </Select>
      )}
      {isShare && (
        <Choices
          name="rule.shareOf"
          label={t.shareOf}
          chosen={known?.shareOf ?? ['NEGATIVE']}
          options={SENTIMENTS.map((value) => ({ value, label: t.feelings[value] }))}
        />
      )}
      {metric ? (
        <Windowed key={metric} kind={kind} metric={metric} known={known?.metric === metric ? known : undefined} />
      ) : (
        kind === 'SILENCE' && <Silence known={known} />
      )}
      {kind !== 'SILENCE' && (
        <Group label={t.which}>
          <FilterFields
            path="rule.filter."
            which={known?.filter}
            without={isShare ? ['sentiments', 'statuses'] : ['statuses']}
          />
        </Group>
      )}
      <Telling kind={kind} known={known} />
    </>
  );
}

function Windowed({ kind, metric, known }: Props & { metric: AlertMetric }) {
  const t = useMessages(MESSAGES);
  const isChange = kind === 'CHANGE';
  return (
    <Columns least={18}>
      <Select name="rule.comparison" label={t.comparison} defaultValue={known?.comparison ?? 'AT_LEAST'}>
        <option value="AT_LEAST">{isChange ? t.changes.AT_LEAST : t.comparisons.AT_LEAST}</option>
        <option value="AT_MOST">{isChange ? t.changes.AT_MOST : t.comparisons.AT_MOST}</option>
      </Select>
      <Field
        name="rule.threshold"
        label={t.thresholds[isChange ? 'CHANGE' : metric]}
        type="number"
        step="any"
        defaultValue={known?.threshold ?? ''}
        required
      />
      <Field
        name="rule.windowMinutes"
        label={t.window}
        hint={t.windowHint}
        type="number"
        min={5}
        max={10_080}
        step={5}
        defaultValue={known?.windowMinutes ?? 60}
        required
      />
      <Field
        name="rule.resolveThreshold"
        label={t.resolveThreshold}
        hint={t.resolveHint}
        type="number"
        step="any"
        defaultValue={known?.resolveThreshold ?? ''}
      />
      {metric !== 'COUNT' && (
        <Field
          name="rule.minimumSample"
          label={t.minimumSample}
          type="number"
          min={1}
          defaultValue={known?.minimumSample ?? 20}
          required
        />
      )}
      {isChange && (
        <>
          <Field
            name="rule.minimumChange"
            label={t.minimumChange}
            hint={t.minimumChangeHint}
            type="number"
            min={0}
            step="any"
            defaultValue={known?.minimumChange ?? 5}
            required
          />
          <Field
            name="rule.baselineWeeks"
            label={t.baselineWeeks}
            type="number"
            min={1}
            max={12}
            defaultValue={known?.baselineWeeks ?? 4}
            required
          />
        </>
      )}
    </Columns>
  );
}

function Silence({ known }: { known: Condition | undefined }) {
  const t = useMessages(MESSAGES);
  const { sources } = useChoices();
  return (
    <Columns least={18}>
      {/* The options are there after the first answer: only then what is chosen among them can be. */}
      <Select
        key={sources.length}
        name="rule.filter.sourceIds"
        label={t.source}
        defaultValue={known?.filter.sourceIds?.[0]}
      >
        {sources.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </Select>
      <Field
        name="rule.windowMinutes"
        label={t.silentFor}
        hint={t.windowHint}
        type="number"
        min={5}
        max={10_080}
        step={5}
        defaultValue={known?.windowMinutes ?? 1_440}
        required
      />
      <Field
        name="rule.threshold"
        label={t.thresholds.SILENCE}
        hint={t.silenceHint}
        type="number"
        min={1}
        max={100}
        step="any"
        defaultValue={known?.threshold ?? ''}
      />
    </Columns>
  );
}

/** When people want to hear of it. */
function Telling({ kind, known }: Props) {
  const t = useMessages(MESSAGES);
  return (
    <>
      <Columns least={18}>
        <Field
          name="rule.coolDownMinutes"
          label={t.coolDown}
          type="number"
          min={kind === 'MATCH' ? 1 : 0}
          max={10_080}
          defaultValue={known?.coolDownMinutes ?? 60}
          required
        />
        <TimeZoneField name="rule.timeZone" label={t.timeZone} zone={known?.timeZone} />
      </Columns>
      <Group label={t.quiet}>
        <Columns>
          <Field
            name="rule.quietHours.from"
            label={t.quietFrom}
            type="time"
            defaultValue={known?.quietHours?.from ?? ''}
          />
          <Field name="rule.quietHours.to" label={t.quietTo} type="time" defaultValue={known?.quietHours?.to ?? ''} />
        </Columns>
      </Group>
      {kind !== 'MATCH' && (
        <Checkbox name="rule.notifyResolved" label={t.notifyResolved} defaultChecked={known?.notifyResolved ?? true} />
      )}
    </>
  );
}
