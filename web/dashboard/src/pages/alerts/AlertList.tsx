import { useState } from 'react';
import { Link } from 'wouter';
import { useFilterWords } from '../../app/filter/words';
import { useShellMessages } from '../../app/messages';
import { useWorkspace } from '../../app/workspace';
import type { AlertRowFragment, AlertState } from '../../gql/graphql';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { useLanguage } from '../../i18n/language';
import { Badge } from '../../ui/Actions';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Moment } from '../../ui/Moment';
import { Empty, Failed, Loading } from '../../ui/states';
import styles from './AlertList.module.css';
import { kept, measured, told } from './condition';
import { MESSAGES } from './messages';
import { useAlerts } from './useAlerts';

/** What rules have raised, or one of them, the newest first, as it happens. */
export function AlertList({ ruleId }: { ruleId?: string }) {
  const t = useMessages(MESSAGES);
  const [state, setState] = useState<AlertState | null>(null);
  const choose = (
    <label className={styles.choose}>
      {t.show}
      <select value={state ?? ''} onChange={({ target }) => setState((target.value || null) as AlertState | null)}>
        <option value="">{t.every}</option>
        <option value="FIRING">{t.onlyStates.FIRING}</option>
        <option value="RESOLVED">{t.onlyStates.RESOLVED}</option>
      </select>
    </label>
  );
  return (
    <Card title={t.raised} actions={choose}>
      <ol className={styles.list} aria-label={t.raised}>
        <Page key={state} ruleId={ruleId} state={state} after={null} />
      </ol>
    </Card>
  );
}

interface PageProps {
  ruleId: string | undefined;
  state: AlertState | null;
  after: string | null;
}

/** A page and what follows it: when something new comes at its head, the next begins one later, and nothing is lost between. */
function Page({ ruleId, state, after }: PageProps) {
  const t = useMessages(MESSAGES);
  const shell = useShellMessages();
  const [isOpen, setOpen] = useState(false);
  const { page, error, again } = useAlerts(ruleId, state, after);
  if (!page) {
    return <li>{error ? <Failed error={error} retry={again} /> : <Loading lines={4} />}</li>;
  }
  // What is over by now is another in the cache before the list is.
  const nodes = page.nodes.filter((each) => !state || each.state === state);
  const { hasNextPage, endCursor } = page.pageInfo;
  return (
    <>
      {nodes.map((alert) => (
        <Row key={alert.id} alert={alert} />
      ))}
      {!nodes.length && !after && !hasNextPage && (
        <li>
          <Empty icon="bell" title={state === 'FIRING' ? t.noneFiring : t.none}>
            {t.noneText}
          </Empty>
        </li>
      )}
      {hasNextPage &&
        (isOpen ? (
          <Page ruleId={ruleId} state={state} after={endCursor} />
        ) : (
          <li className={styles.more}>
            <Button onClick={() => setOpen(true)}>{shell.more}</Button>
          </li>
        ))}
    </>
  );
}

function Row({ alert }: { alert: AlertRowFragment }) {
  const t = useMessages(MESSAGES);
  const format = useFormat();
  const { locale } = useLanguage();
  const { slug } = useWorkspace();
  const which = useFilterWords();
  const condition = kept(alert.query);
  return (
    <li className={styles.row} data-state={alert.state}>
      <div className={styles.head}>
        <Link href={`/w/${slug}/alerts/${alert.id}`} className={styles.name}>
          {alert.name}
        </Link>
        <Badge kind={alert.state === 'FIRING' ? 'bad' : 'plain'}>{t.states[alert.state]}</Badge>
        {alert.value !== null && <strong>{measured(alert.value, condition, locale, format)}</strong>}
      </div>
      <div className={styles.about}>
        <span>{told(condition, t, locale, format)}</span>
        <span>{which(condition.filter)}</span>
      </div>
      <div className={styles.about}>
        <span>
          {t.fired} <Moment at={alert.firedAt} />
        </span>
        {alert.resolvedAt && (
          <span>
            {t.over} <Moment at={alert.resolvedAt} />
          </span>
        )}
      </div>
    </li>
  );
}
