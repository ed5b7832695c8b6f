import { type Cache, type CacheExchangeOpts, cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import knowledge from '../gql/cache.json';

/**
 * The lists of a workspace that a mutation changes: they are asked for again where they are on screen.
 * What a mutation answers (a feedback, a member) is put into the cache by its id and needs no entry here.
 */
const LISTS: Record<string, readonly string[]> = {
  submitFeedback: ['feedback', 'stats'],
  createTag: ['tags'],
  startImport: ['jobs'],
  undoImport: ['jobs'],
  createSource: ['sources'],
  deleteSource: ['sources', 'feedback', 'stats'],
  inviteMember: ['invitations'],
  revokeInvitation: ['invitations'],
  removeMember: ['members'],
  transferOwnership: ['members'],
  createApiKey: ['apiKeys'],
  createWebhook: ['webhooks'],
  deleteWebhook: ['webhooks'],
  createSavedView: ['savedViews'],
  deleteSavedView: ['savedViews'],
  createAlertRule: ['alertRules'],
  deleteAlertRule: ['alertRules'],
  startExport: ['jobs'],
  createExportSchedule: ['exportSchedules'],
  deleteExportSchedule: ['exportSchedules'],
  exportAuthorData: ['jobs'],
  eraseAuthor: ['jobs'],
};

/** The same for the lists of the viewer. */
const VIEWERS: Record<string, readonly string[]> = {
  createWorkspace: ['workspaces'],
  updateProfile: [],
};

/** Lists that grow at their heads while one reads: who shows them joins their pages. */
const APART = ['Workspace.feedback', 'Feedback.notes', 'Workspace.alerts', 'AlertRule.alerts'];

/** The normalising cache: objects by their ids, pages of lists joined. */
export const cached = () => cacheExchange(options());

export function options(): Partial<CacheExchangeOpts> {
  const paged = Object.entries(knowledge.paged as Record<string, string[]>);
  const changed = [...Object.keys(LISTS), ...Object.keys(VIEWERS)];
  return {
    schema: knowledge.schema as unknown as NonNullable<CacheExchangeOpts['schema']>,
    keys: Object.fromEntries(knowledge.embedded.map((type) => [type, () => null])),
    resolvers: Object.fromEntries(paged.map(([type, fields]) => [type, joined(type, fields)])),
    updates: {
      Mutation: Object.fromEntries(
        changed.map((mutation) => [mutation, (_result, _args, cache) => invalidate(cache, mutation)]),
      ),
    },
  };
}

function joined(type: string, fields: readonly string[]) {
  const names = fields.filter((field) => !APART.includes(`${type}.${field}`));
  return Object.fromEntries(names.map((field) => [field, relayPagination()]));
}

function invalidate(cache: Cache, mutation: string) {
  for (const { entityKey, fields } of workspaces(cache)) {
    for (const { fieldName, arguments: given } of fields) {
      if (LISTS[mutation]?.includes(fieldName)) {
        cache.invalidate(entityKey, fieldName, given);
      }
    }
  }
  for (const field of VIEWERS[mutation] ?? []) {
    const viewer = cache.resolve('Query', 'viewer');
    if (typeof viewer === 'string') {
      cache.invalidate(viewer, field);
    }
  }
}

/** Every workspace that the cache holds: of those that were asked for by their slugs. */
function workspaces(cache: Cache) {
  const asked = cache.inspectFields('Query').filter(({ fieldName }) => fieldName === 'workspace');
  const keys = new Set(asked.map(({ fieldKey }) => cache.resolve('Query', fieldKey)));
  return [...keys]
    .filter((key): key is string => typeof key === 'string')
    .map((entityKey) => ({ entityKey, fields: cache.inspectFields(entityKey) }));
}
