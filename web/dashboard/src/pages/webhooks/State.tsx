import type { WebhookFragment } from '../../gql/graphql';
import { useMessages } from '../../i18n/catalogue';
import { useFormat } from '../../i18n/format';
import { Badge } from '../../ui/Actions';
import { MESSAGES } from './messages';

/** Whether it is sent to, and if not, why. */
export function State({ webhook }: { webhook: WebhookFragment }) {
  const t = useMessages(MESSAGES);
  const format = useFormat();
  const { enabled, disabledReason, failingSince, pausedUntil } = webhook;
  if (!enabled) return <Badge kind="bad">{t.disabled[disabledReason ?? 'MANUAL']}</Badge>;
  if (pausedUntil) return <Badge kind="waiting">{t.pausedUntil(format.moment(pausedUntil))}</Badge>;
  if (failingSince) return <Badge kind="waiting">{t.failingSince(format.moment(failingSince))}</Badge>;
  return <Badge kind="good">{t.works}</Badge>;
}
