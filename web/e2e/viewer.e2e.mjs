import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ask, signIn, submit } from './signing_in.mjs';

const SERVED = path.join(import.meta.dirname, '../dashboard/dist/server.json');
const NOT_FOR_VIEWERS = 'Your role does not reach so far';
/** What only reads, by page: everything else that can be pressed or filled in would be one thing too many. */
const READING = {
  '/w/:slug': /^(7 days|30 days|90 days|1 year|Period|Show all \d+)$/,
  '/w/:slug/alerts': /^(Show|Show more)$/,
  '/w/:slug/alerts/:alertId': /^As JSON$/,
  // There may be none: what is not there is asked for again.
  '/w/:slug/alerts/rules/:ruleId': /^Try again$/,
  '/w/:slug/contact': /^Copy the address$/,
  '/w/:slug/exports': /^Download$/,
  '/w/:slug/inbox':
    /^(Search|Filter|Sentiment|Positive|Neutral|Negative|Not scored yet|Status|Open|In progress|Closed|Assigned to|Source|Tag|Rated at least|Rated at most|From|To|Order|Any|Me|Save this view)$/,
  '/w/:slug/jobs': /^(Refresh|State|Show more)$/,
  '/w/:slug/members': /^Leave$/,
  // The key that is tried here is a partner's, and has rights of its own.
  '/w/:slug/partners': /./,
};

const SEEN = '{ workspace(slug: "demo") { id tags { id } sources { id } members { id role user { email } } } }';
const COUNTED = `{ workspace(slug: "demo") { name tags { id } webhooks { id } apiKeys { id } sources { id } alertRules { id }
  members { id role } invitations { id } exportSchedules { id } jobs(first: 1, kind: "export") { nodes { id } } } }`;

export const tests = {
  async 'a viewer sees no button on any page that would be refused'({ page }) {
    await signIn(page, 'viewer@earful.example');
    const { paths } = JSON.parse(await readFile(SERVED, 'utf8'));
    const tooMuch = [];
    const refused = [];
    for (const pattern of paths.filter((each) => each.startsWith('/w/:slug'))) {
      await page.goto(await filled(page, pattern));
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.waitForLoadState('networkidle');
      if (await page.getByRole('heading', { level: 1, name: NOT_FOR_VIEWERS }).count()) refused.push(pattern);
      const names = await page
        .locator('main :is(button, input, select, textarea, [role=button])')
        .evaluateAll((all) =>
          all
            .filter((each) => each.checkVisibility())
            .map((each) =>
              (each.getAttribute('aria-label') ?? each.labels?.[0]?.innerText ?? each.innerText).split('\n')[0].trim(),
            ),
        );
      tooMuch.push(...names.filter((name) => !READING[pattern]?.test(name)).map((name) => `${pattern}: ${name}`));
    }

    assert.deepEqual(tooMuch, []);
    assert.deepEqual(refused, [
      '/w/:slug/alerts/rules/:ruleId/edit',
      '/w/:slug/alerts/rules/new',
      '/w/:slug/api-keys',
      '/w/:slug/audit',
      '/w/:slug/dead-letters',
      '/w/:slug/privacy',
      '/w/:slug/schedules',
      '/w/:slug/usage',
      '/w/:slug/webhooks',
      '/w/:slug/webhooks/:webhookId',
    ]);
  },

  async 'what a viewer asks for past the pages is refused, and changes nothing'({ page, context, base }) {
    const owner = await (await context.browser().newContext({ baseURL: base, locale: 'en-GB' })).newPage();
    await signIn(owner);
    const id = await submit(owner, `Not for viewers ${Date.now()}`);
    const before = await ask(owner, COUNTED);
    await signIn(page, 'viewer@earful.example');
    const { workspace } = await ask(page, SEEN);
    const workspaceId = workspace.id;
    const own = workspace.members.find(({ user }) => user.email === 'viewer@earful.example');
    const other = workspace.members.find(({ role }) => role === 'OWNER');
    const asked = {
      updateFeedback: { ids: [id], status: 'CLOSED' },
      setFeedbackTags: { feedbackId: id, tagIds: [workspace.tags[0].id] },
      addFeedbackNote: { feedbackId: id, body: 'Mine' },
      submitFeedback: { workspaceId, body: 'Mine' },
      createTag: { workspaceId, name: 'Mine' },
      startExport: { workspaceId, format: 'CSV' },
      createUpload: { workspaceId, name: 'mine.csv', contentType: 'text/csv', size: 4, purpose: 'IMPORT' },
      createSource: { workspaceId, name: 'Mine' },
      deleteSource: { sourceId: workspace.sources[0].id },
      createWebhook: { workspaceId, name: 'Mine', url: 'https://example.com/', eventTypes: ['FEEDBACK_ADDED'] },
      createApiKey: { workspaceId, name: 'Mine', scopes: ['feedback:read'] },
      createAlertRule: { workspaceId, name: 'Mine', rule: { kind: 'COUNT', threshold: 1 } },
      inviteMember: { workspaceId, email: 'mine@earful.example', role: 'VIEWER' },
      changeMemberRole: { memberId: own.id, role: 'OWNER' },
      removeMember: { memberId: other.id },
      updateWorkspace: { workspaceId, name: 'Mine' },
      rescoreFeedback: { workspaceId },
      eraseAuthor: { workspaceId, email: 'ada@example.com', mode: 'ERASE' },
    };
    const answers = {};
    for (const [name, input] of Object.entries(asked)) {
      const type = `${name[0].toUpperCase()}${name.slice(1)}Input`;
      const mutation = `mutation($input: ${type}!) { answer: ${name}(input: $input) { __typename } }`;
      answers[name] = (await ask(page, mutation, { input }))?.answer.__typename;
    }

    assert.deepEqual(answers, Object.fromEntries(Object.keys(asked).map((name) => [name, 'Forbidden'])));
    assert.deepEqual(await ask(owner, COUNTED), before);
    const left = await ask(owner, 'query($id: ID!) { node(id: $id) { ... on Feedback { status tags { id } } } }', {
      id,
    });
    assert.deepEqual(left, { node: { status: 'OPEN', tags: [] } });
    await owner.context().close();
  },
};

/** The pattern with what there is, or, where that may not be seen, with what might be there. */
async function filled(page, pattern) {
  const to = pattern.replace(':slug', 'demo');
  if (!to.includes('/:')) return to;
  await page.goto(to.slice(0, to.indexOf('/:')));
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.waitForLoadState('networkidle');
  const links = await page.locator('main a').evaluateAll((all) => all.map((each) => each.getAttribute('href')));
  const shape = new RegExp(`^${to.replace(/:\w+/g, '[^/?]+')}$`);
  return links.find((link) => shape.test(link)) ?? to.replace(/:\w+/g, 'none');
}
