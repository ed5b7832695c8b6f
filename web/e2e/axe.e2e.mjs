import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { findingsHere } from './axe.mjs';
import { bucket } from './bucket.mjs';
import { ask, signIn } from './signing_in.mjs';

const DASHBOARD = path.join(import.meta.dirname, '../dashboard');
const PHONE = { width: 390, height: 844 };

const WEBHOOK = `mutation($input: CreateWebhookInput!) {
  createWebhook(input: $input) { ... on CreateWebhookSuccess { webhook { id } } ... on Problem { message } } }`;

const FORM = `mutation($input: CreateSourceInput!) {
  createSource(input: $input) { ... on CreateSourceSuccess { source { publishableKey } } ... on Problem { message } } }`;

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
        const isOutlined = outlineStyle !== 'none' && outlineWidth !== '0px' && !/, 0\)$|transparent/.test(outlineColor);
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
  const { workspace } = await ask(page, '{ workspace(slug: "demo") { id webhooks { id } } }');
  if (!workspace.webhooks.length) {
    const input = { workspaceId: workspace.id, name: 'Warehouse', url: 'https://example.com/hook', eventTypes: ['FEEDBACK_ADDED'] };
    await ask(page, WEBHOOK, { input });
  }
  const form = { workspaceId: workspace.id, name: 'Form', kind: 'FORM', form: { origins: ['*'] } };
  const { createSource } = await ask(page, FORM, { input: form });
  const { paths } = JSON.parse(await readFile(path.join(DASHBOARD, 'dist/server.json'), 'utf8'));
  const found = [];
  for (const pattern of paths) {
    const to = await known(page, filled(pattern, createSource.source.publishableKey));
    if (to) found.push(...(await findings(page, to)));
  }
  return found;
}

/** What is known of a path: pages that everybody sees are not linked to from a page above them. */
function filled(pattern, key) {
  return pattern.replace(':slug', 'demo').replace(':workspace', 'demo').replace(':key', key);
}

/** The path itself, or the first link to such a page on the page above it. */
async function known(page, pattern) {
  if (!pattern.includes(':')) return pattern;
  await page.goto(pattern.slice(0, pattern.indexOf('/:')));
  await settled(page);
  const links = await page.locator('main a').evaluateAll((all) => all.map((each) => each.getAttribute('href')));
  const shape = new RegExp(`^${pattern.replace(/:\w+/g, '[^/?]+')}$`);
  return links.find((link) => shape.test(link));
}

async function findings(page, to) {
  await page.goto(to);
  await settled(page);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  return [...(wide ? [`${to}: wider than the window`] : []), ...(await findingsHere(page, to))];
}

async function settled(page) {
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.waitForLoadState('networkidle');
  await page.getByText('Loading', { exact: true }).first().waitFor({ state: 'detached' });
}
