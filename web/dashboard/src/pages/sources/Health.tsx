import type { SourceRowFragment } from '../../gql/graphql';
import { useMessages } from '../../i18n/catalogue';
import { Actions, Badge } from '../../ui/Actions';
import { MESSAGES } from './messages';

export function Health({ health }: { health: SourceRowFragment['health'] }) {
  const t = useMessages(MESSAGES);
  const { goneQuiet, quarantined, refusedLastDay, lastReceivedAt } = health;
  const isWell = !goneQuiet && !quarantined && !refusedLastDay;
  return (
    <Actions>
      {goneQuiet && <Badge kind="bad">{t.goneQuiet}</Badge>}
      {quarantined > 0 && <Badge kind="waiting">{t.inQuarantine(quarantined)}</Badge>}
      {refusedLastDay > 0 && <Badge kind="waiting">{t.refused(refusedLastDay)}</Badge>}
      {isWell && <Badge kind={lastReceivedAt ? 'good' : 'plain'}>{lastReceivedAt ? t.well : t.waits}</Badge>}
    </Actions>
  );
}
