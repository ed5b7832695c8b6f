export type Thing = 'keys' | 'webhooks' | 'rules' | 'schedules' | 'sources' | 'members' | 'feedback';

/** What a workspace has at most, as the schema's mutations say it; of what is missing it has any number. */
export const LIMITS: Partial<Record<Thing, number>> = { keys: 100, webhooks: 50, rules: 100, schedules: 50 };

const DAYS = 30;

/** From midnight here, and as many days, to the end of today. */
export function lastDays(): { from: string; to: string } {
  const from = new Date();
  from.setHours(0, 0, 0, 0);
  const to = new Date(from);
  from.setDate(from.getDate() - DAYS + 1);
  to.setDate(to.getDate() + 1);
  return { from: from.toISOString(), to: to.toISOString() };
}
