import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { findingsHere } from './axe.mjs';
import { bucket } from './bucket.mjs';
import { until } from './processes.mjs';
import { ask, signIn, submit } from './signing_in.mjs';

const DASHBOARD = path.join(import.meta.dirname, '../dashboard');
const PHONE = { width: 390, height: 844 };
const NARROWEST = { width: 320, height: 640 };

const THERE_IS = `{ workspace(slug: "demo") {
  id sources { id } webhooks { id } feedback(first: 1) { nodes { id } } alerts(first: 100) { nodes { id rule { id } } }
  jobs(first: 1, kind: "import") { nodes { id } } } }`;

const WEBHOOK = `mutation($input: CreateWebhookInput!) {
  createWebhook(input: $input) { ... on CreateWebhookSuccess { webhook { id } } ... on Problem { message } } }`;

const FORM = `mutation($input: CreateSourceInput!) {
  createSource(input: $input) { ... on CreateSourceSuccess { source { publishableKey } } ... on Problem { message } } }`;

const RULE = `mutation($input: CreateAlertRuleInput!) {
  createAlertRule(input: $input) { ... on CreateAlertRuleSuccess { alertRule { id } } ... on Problem { message } } }`;

/** What opens a dialog: the path of its page, and the button. */
const DIALOGS = [
  ['/w/demo/api-keys', 'New API key'],
  ['/w/demo/sources', 'New source'],
  ['/w/demo/webhooks', 'New webhook'],
  ['/account', 'Set up an app'],
];

export const tests = {
  async 'axe finds nothing where nobody is signed in'({ page }) {
    const found = [];
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      for (const to of ['/login', '/register', '/forgotten-password', '/account/verify?token=x']) {
        found.push(...(await findings(page, to)));
      }
    }
    assert.deepEqual(found, []);
  },

  async 'axe finds nothing on any page in light'({ page, base, allow }) {
    allow(await bucket(base));
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
    assert.deepEqual(await everywhere(page), []);
  },

  async 'axe finds nothing on any page in dark'({ page, base, allow }) {
    allow(await bucket(base));
    await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
    assert.deepEqual(await everywhere(page), []);
  },

  async 'axe finds nothing on any page on a phone, and none is wider than it'({ page, base, allow }) {
    allow(await bucket(base));
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
    await page.setViewportSize(PHONE);
    assert.deepEqual(await everywhere(page), []);
    await page.getByRole('button', { name: 'Menu' }).click();
    assert.deepEqual(await findingsHere(page, 'the menu'), []);
  },

  async 'no page is wider than the narrowest phone, with the longer words of German'({ page, base, allow }) {
    allow(await bucket(base));
    await page.setViewportSize(NARROWEST);
    await signIn(page);
    const wide = [];
    const pages = await allPages(page);
    await page.evaluate(() => localStorage.setItem('earful-language', 'de'));
    for (const to of pages) {
      await page.goto(to);
      await settled(page);
      if (await isWide(page)) wide.push(to);
    }
    assert.deepEqual(wide, []);
  },

  async 'axe finds nothing in what opens'({ page }) {
    await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
    await signIn(page);
    const found = [];
    for (const [to, button] of DIALOGS) {
      await page.goto(to);
      await page.getByRole('button', { name: button }).click();
      await page.getByRole('dialog').waitFor();
      found.push(...(await findingsHere(page, button)));
    }
    assert.deepEqual(found, []);
  },

  async 'the focus is seen wherever it goes'({ page }) {
    await signIn(page);
    await page.goto('/w/demo/inbox');
    await page.locator('[data-row]').first().waitFor();
    const hidden = new Set();
    for (let turn = 0; turn < 60; turn += 1) {
      await page.keyboard.press('Tab');
      const unseen = await page.evaluate(() => {
        const { outlineStyle, outlineColor, outlineWidth, boxShadow } = getComputedStyle(document.activeElement);
        const isOutlined =
          outlineStyle !== 'none' && outlineWidth !== '0px' && !/, 0\)$|transparent/.test(outlineColor);
        return isOutlined || boxShadow !== 'none' ? '' : document.activeElement.outerHTML.slice(0, 120);
      });
      if (unseen) hidden.add(unseen);
    }
    assert.deepEqual([...hidden], []);
  },
};

/** What is wrong on every page there is, for who may see all. */
async function everywhere(page) {
  await signIn(page);
  const found = [];
  for (const to of await allPages(page)) found.push(...(await findings(page, to)));
  return found;
}

async function allPages(page) {
  const known = await things(page);
  const { paths } = JSON.parse(await readFile(path.join(DASHBOARD, 'dist/server.json'), 'utf8'));
  return paths.map((pattern) => {
    const to = pattern.replace(/:(\w+)/g, (_, name) => known[name]);
    assert.doesNotMatch(to, /undefined/, `Nothing is known for ${pattern}`);
    return to;
  });
}

/** Something of each kind that has a page, by its name in the paths; what is missing is made. */
async function things(page) {
  const { workspace } = await ask(page, THERE_IS);
  const workspaceId = workspace.id;
  if (!workspace.webhooks.length) {
    const input = { workspaceId, name: 'Warehouse', url: 'https://example.com/hook', eventTypes: ['FEEDBACK_ADDED'] };
    await ask(page, WEBHOOK, { input });
  }
  if (!workspace.alerts.nodes.some(({ rule }) => rule)) {
    const word = `ibis${Date.now()}`;
    const rule = { kind: 'MATCH', filter: { search: word } };
    await ask(page, RULE, { input: { workspaceId, name: `About ${word}`, rule } });
    await submit(page, `The ${word} is at the door.`);
  }
  if (!workspace.jobs.nodes.length) {
    await page.goto('/w/demo/imports');
    const buffer = Buffer.from('text,rating\nWell done.,9\n,3\n');
    await page.getByLabel('A file to import').setInputFiles({ name: 'few.csv', mimeType: 'text/csv', buffer });
    await page.getByRole('button', { name: 'Start the import' }).click();
    await page.getByRole('heading', { name: 'Refused rows' }).waitFor();
  }
  const form = { workspaceId, name: 'Form', kind: 'FORM', form: { origins: ['*'] } };
  const { createSource } = await ask(page, FORM, { input: form });
  const all = await until(
    async () => (await ask(page, THERE_IS)).workspace,
    ({ alerts }) => alerts.nodes.some(({ rule }) => rule),
  );
  const alert = all.alerts.nodes.find(({ rule }) => rule);
  return {
    slug: 'demo',
    workspace: 'demo',
    key: createSource.source.publishableKey,
    sourceId: all.sources[0].id,
    webhookId: all.webhooks[0].id,
    feedback: all.feedback.nodes[0].id,
    alertId: alert.id,
    ruleId: alert.rule.id,
    jobId: all.jobs.nodes[0].id,
  };
}

async function findings(page, to) {
  await page.goto(to);
  await settled(page);
  return [...((await isWide(page)) ? [`${to}: wider than the window`] : []), ...(await findingsHere(page, to))];
}

const isWide = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);

async function settled(page) {
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.waitForLoadState('networkidle');
  await page
    .getByText(/^(Loading|Lädt)$/)
    .first()
    .waitFor({ state: 'detached' });
}
