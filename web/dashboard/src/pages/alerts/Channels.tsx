import type { AlertRuleRowFragment } from '../../gql/graphql';
import { useMessages } from '../../i18n/catalogue';
import { MESSAGES } from './messages';

/** Whom a rule tells, in a few words. */
export function Channels({ channels }: { channels: AlertRuleRowFragment['channels'] }) {
  const t = useMessages(MESSAGES);
  const { admins, userIds, webhookUrl, slackUrl } = channels;
  const told = [
    admins && t.tells.admins,
    userIds.length > 0 && t.tells.members(userIds.length),
    slackUrl && `Slack (${slackUrl})`,
    webhookUrl && `Webhook (${webhookUrl})`,
  ].filter(Boolean);
  return told.join(', ') || t.tells.nobody;
}
