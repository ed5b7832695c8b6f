import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import path from 'node:path';
import { signIn, submit } from './signing_in.mjs';

const require = createRequire(path.join(import.meta.dirname, '../dashboard/package.json'));
const { devices } = require('playwright-core');

/** A phone of its own, on which nobody has been. */
async function onPhone({ context, base }, work) {
  const phone = await context.browser().newContext({ ...devices['Pixel 7'], baseURL: base, locale: 'en-GB' });
  phone.setDefaultTimeout(20_000);
  const page = await phone.newPage();
  await signIn(page);
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    while (!navigator.serviceWorker.controller) await new Promise((done) => setTimeout(done, 50));
  });
  try {
    await work(page, phone);
  } finally {
    await phone.close();
  }
}

/** What is kept of what was said. */
const kept = (page) =>
  page.evaluate(async () => {
    if (!(await caches.has('earful-seen'))) return [];
    const cache = await caches.open('earful-seen');
    const requests = await cache.keys();
    return Promise.all(requests.map(async (each) => [each.url, await (await cache.match(each)).text()]));
  });

const hasKept = (page, ...names) =>
  page.waitForFunction(async (wanted) => {
    const cache = await caches.open('earful-seen');
    const urls = (await cache.keys()).map(({ url }) => url);
    return wanted.every((name) => urls.some((url) => url.includes(`/seen/${name}?`)));
  }, names);

export const tests = {
  async 'a phone would install it'({ context, base }) {
    await onPhone({ context, base }, async (page, phone) => {
      const tools = await phone.newCDPSession(page);
      const { errors, url } = await tools.send('Page.getAppManifest');
      const { installabilityErrors } = await tools.send('Page.getInstallabilityErrors');

      assert.deepEqual(errors, []);
      assert.equal(url, `${base}/manifest.webmanifest`);
      // Pages that tests open are in private windows.
      assert.deepEqual(
        installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito'),
        [],
      );
    });
  },

  async 'what was seen last is there without a connection, to be read, and goes on when it is back'({ context, base }) {
    await onPhone({ context, base }, async (page, phone) => {
      const body = `Seen before the tunnel ${Date.now()}`;
      await submit(page, body);
      await page.goto('/w/demo/inbox');
      await page.locator('[data-row]', { hasText: body }).waitFor();
      await page.goto('/w/demo');
      await page.getByRole('listitem').filter({ hasText: body }).waitFor();
      await page.locator('[data-light=live]').waitFor();
      await page.getByRole('heading', { name: 'By source' }).scrollIntoViewIfNeeded();
      await hasKept(page, 'Session', 'Overview', 'OverviewGroups', 'Choices', 'InboxPage');

      await phone.setOffline(true);
      await page.reload();
      await page.getByText('Offline: you see what you saw last').waitFor();
      await page.locator('[data-light=offline]').waitFor();
      await page.getByRole('listitem').filter({ hasText: body }).waitFor();
      await page.goto('/w/demo/inbox');
      await page.locator('[data-row]', { hasText: body }).waitFor();
      assert.equal(await page.getByRole('checkbox', { name: /^Choose/ }).count(), 0);

      await phone.setOffline(false);
      await page.locator('[data-light=live]').waitFor();
      await page.getByText('Offline: you see what you saw last').waitFor({ state: 'detached' });
      await page
        .getByRole('checkbox', { name: /^Choose/ })
        .first()
        .waitFor();
    });
  },

  async 'nothing secret is kept, and nothing at all by who signs out'({ context, base }) {
    await onPhone({ context, base }, async (page) => {
      for (const to of [
        '/w/demo/api-keys',
        '/w/demo/sources',
        '/w/demo/webhooks',
        '/account',
        '/w/demo/inbox',
        '/w/demo',
      ]) {
        await page.goto(to);
        await page.getByRole('heading', { level: 1 }).waitFor();
        await page.waitForLoadState('networkidle');
      }
      await hasKept(page, 'Session', 'InboxPage');
      const shell = await page.evaluate(async () => {
        const names = (await caches.keys()).filter((name) => name.startsWith('earful-shell-'));
        const requests = await (await caches.open(names[0])).keys();
        return { caches: names.length, paths: requests.map(({ url }) => new URL(url).pathname) };
      });
      const seen = await kept(page);
      assert.equal(shell.caches, 1);
      assert.deepEqual(
        shell.paths.filter((each) => !/^\/$|^\/(assets|icons)\/|^\/manifest\.webmanifest$/.test(each)),
        [],
      );
      assert.deepEqual(
        seen.filter(([url]) => /ApiKeys|Source\?|Sources|Webhook|Account|Members/.test(url)),
        [],
      );
      assert.doesNotMatch(JSON.stringify(seen), /earful_|whsec_|eyJ|X-Amz-Signature/);

      await page.getByRole('button', { name: 'Menu' }).click();
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.waitForURL('**/login*');
      await page.waitForFunction(async () => !(await caches.has('earful-seen')));
    });
  },

  async 'what comes while nobody looks is counted on the icon'({ page }) {
    await page.addInitScript(() => {
      globalThis.badges = [];
      navigator.setAppBadge = async (count) => void globalThis.badges.push(count);
      navigator.clearAppBadge = async () => void globalThis.badges.push(0);
    });
    await signIn(page);
    await page.locator('[data-light=live]').waitFor();
    const look = (state) =>
      page.evaluate((now) => {
        Object.defineProperty(document, 'visibilityState', { value: now, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      }, state);
    await look('hidden');
    await submit(page, `Unread ${Date.now()}`);
    await page.waitForFunction(() => globalThis.badges.at(-1) >= 1);

    await look('visible');
    assert.equal(await page.evaluate(() => globalThis.badges.at(-1)), 0);
  },
};
