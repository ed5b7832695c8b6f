import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import { cuttable } from './connection.mjs';
import { deliver, newHook } from './hook.mjs';
import { insisted, kill, until } from './processes.mjs';
import { ask, signIn, submit } from './signing_in.mjs';

const FOUND = '{ workspace(slug: "demo") { feedback(first: 50, filter: { search: "WORD" }) { nodes { id body } } } }';
const STORED = 'query($id: ID!) { workspace(slug: "demo") { feedback(filter: { sourceIds: [$id] }) { totalCount } } }';

/** How much there is in the time that the overview shows, as it says. */
async function total(page) {
  const figure = page.getByRole('region', { name: 'The last 30 days' }).locator('strong').first();
  return Number((await figure.innerText()).replaceAll(',', ''));
}

/** All that a list has which draws only what is on screen, from its head to its end: [id, text] as often as it is in it. */
function scrolledThrough(page) {
  return page.evaluate(async () => {
    const drawn = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const places = new Map();
    scrollTo(0, 0);
    for (;;) {
      await drawn();
      for (const item of document.querySelectorAll('[aria-posinset]')) {
        const row = /** @type {HTMLElement} */ (item.querySelector('[data-row]'));
        places.set(item.getAttribute('aria-posinset'), [row.dataset.row, row.textContent]);
      }
      if (scrollY + innerHeight >= document.documentElement.scrollHeight - 1) return [...places.values()];
      scrollBy(0, 400);
    }
  });
}

/** What somebody comes to, and is opened by somebody else. */
function gate() {
  const events = new EventEmitter();
  return {
    isReached: once(events, 'reached'),
    isOpen: once(events, 'open'),
    reached: () => events.emit('reached'),
    open: () => events.emit('open'),
  };
}

export const tests = {
  async 'feedback arrives as it is committed, once, and turns colour when it is scored'({ page }) {
    await signIn(page);
    await page.getByText('Live', { exact: true }).first().waitFor();
    const body = `What a wonderful, excellent product! ${Date.now()}`;
    await submit(page, body);

    const row = page.getByRole('listitem').filter({ hasText: body });
    await row.getByText('Positive').waitFor();
    assert.equal(await row.count(), 1);
  },

  async 'who was away is shown what happened meanwhile'({ page, context }) {
    const connection = await cuttable(page);
    await signIn(page);
    await page.getByText('The last 30 days').waitFor();
    await page.locator('[data-light=live]').waitFor();
    const elsewhere = await context.newPage();
    await elsewhere.goto('/workspaces');
    connection.cut();
    await page.locator('[data-light=offline]').waitFor();
    const bodies = Array.from({ length: 3 }, (_, number) => `Said meanwhile ${Date.now()} ${number}`);
    for (const body of bodies) await submit(elsewhere, body);
    connection.mend();

    for (const body of bodies) await page.getByText(body).waitFor();
    await page.locator('[data-light=live]').waitFor();
    for (const body of bodies) assert.equal(await page.getByText(body).count(), 1);
  },

  async 'who goes from page to page keeps the connection'({ page }) {
    const begun = [];
    page.on('websocket', (socket) =>
      socket.on('framesent', ({ payload }) => {
        const { type, payload: sent } = JSON.parse(String(payload));
        if (type === 'subscribe' && 'after' in sent.variables) begun.push(sent.variables.after);
      }),
    );
    await signIn(page);
    await page.locator('[data-light=live]').waitFor();
    for (const name of ['Inbox', 'Alerts', 'Members', 'Overview']) {
      await page.getByRole('link', { name, exact: true }).click();
      await page.getByRole('link', { name, exact: true, current: 'page' }).waitFor();
      await page.getByRole('heading', { level: 1 }).waitFor();
    }

    assert.equal(begun.length, 1);
  },

  async 'what comes between a list and the feed is shown'({ page, context }) {
    await signIn(page);
    for (const to of ['/w/demo', '/w/demo/inbox']) {
      for (const isListLate of [false, true]) {
        const reader = await context.newPage();
        const [list, place] = [gate(), gate()];
        await reader.route('**/graphql', async (route) => {
          const { operationName, variables } = route.request().postDataJSON();
          if (operationName === 'FeedbackPlace') {
            await place.isOpen;
            await route.continue();
          } else if (variables?.slug && variables.first) {
            const response = await route.fetch();
            list.reached();
            if (isListLate) await list.isOpen;
            await route.fulfill({ response });
          } else await route.continue();
        });
        await reader.goto(to);
        await list.isReached;
        const body = `Between the two ${Date.now()}`;
        await submit(page, body);
        place.open();
        await reader.locator('[data-light=live]').waitFor();
        list.open();

        const fresh = reader.getByRole('button', { name: /^Show / });
        await fresh.or(reader.getByText(body)).first().waitFor();
        if (await fresh.count()) await fresh.click();
        await reader.getByText(body).waitFor();
        assert.equal(await reader.getByText(body).count(), 1);
        await reader.unrouteAll({ behavior: 'ignoreErrors' });
        await reader.close();
      }
    }
  },

  async 'what is on screen stays when it is asked for anew and nobody answers'({ page, context }) {
    await signIn(page);
    await page.getByText('The last 30 days').waitFor();
    await page.locator('[data-light=live]').waitFor();
    const sender = await context.newPage();
    await sender.goto('/workspaces');
    const body = `Told, not asked for ${Date.now()}`;
    await page.route('**/graphql', (route) => route.abort());
    const failing = page.waitForEvent('requestfailed', { timeout: 60_000 });
    await submit(sender, body);
    await page.getByText(body).waitFor();
    await failing;
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

    assert.equal(await page.getByText('That did not work').count(), 0);
    assert.equal(await page.getByRole('listitem').filter({ hasText: body }).count(), 1);
  },

  async 'what could not be asked for is asked for when the connection is back'({ page }) {
    const connection = await cuttable(page);
    await signIn(page);
    await page.locator('[data-light=live]').waitFor();
    connection.cut();
    await page.getByRole('link', { name: 'Inbox' }).click();
    await page.getByRole('alert').getByText('That did not work').waitFor();
    connection.mend();

    await page.locator('[data-row]').first().waitFor();
  },

  async 'no row is lost or doubled while the server is killed twice'({ page, context, data }) {
    await signIn(page);
    await page.locator('[data-light=live]').waitFor();
    const sender = await context.newPage();
    await sender.goto('/workspaces');
    const word = `otter${Date.now()}`;
    for (let number = 0; number < 15; number += 1) {
      if (number === 5 || number === 10) await kill(data, 'api');
      await insisted(() => submit(sender, `${word} number ${number}.`));
    }
    await page.locator('[data-light=live]').waitFor({ timeout: 120_000 });
    const rows = page.getByRole('listitem').filter({ hasText: word });
    await rows.filter({ hasText: 'number 14.' }).waitFor({ timeout: 60_000 });

    const { workspace } = await insisted(() => ask(sender, FOUND.replace('WORD', word)));
    const shown = (await rows.locator('p').allTextContents()).sort();
    assert.deepEqual(shown, workspace.feedback.nodes.map(({ body }) => body).sort());
    assert.equal(new Set(shown).size, 15);
  },

  async 'a thousand signed webhooks arrive live while the server is killed twice'({ page, context, data }) {
    await signIn(page);
    const word = `plover${Date.now()}`;
    const hook = await newHook(page, word);
    const before = await total(page);
    await page.locator('[data-light=live]').waitFor();
    const inbox = await context.newPage();
    await inbox.goto(`/w/demo/inbox?sources=${hook.id}`);
    await inbox.getByText('Nothing here matches').waitFor();
    await inbox.locator('[data-light=live]').waitFor();
    for (const each of [page, inbox]) await each.evaluate(() => document.body.setAttribute('data-stayed', ''));
    const texts = Array.from({ length: 1_000 }, (_, number) => `${word} number ${number}.`);

    // What has come is counted on screen before the next are sent: it is there because it has been told, not asked for.
    for (const [from, to] of [
      [0, 400],
      [400, 800],
      [800, 1_000],
    ]) {
      let delivered = 0;
      await deliver(hook, texts.slice(from, to), async () => {
        delivered += 1;
        if (delivered === 200 && to < 1_000) await kill(data, 'api');
      });
      const fresh = inbox.getByRole('button', { name: `Show ${to.toLocaleString('en')} new`, exact: true });
      await fresh.waitFor({ timeout: 120_000 });
    }

    await inbox.getByRole('button', { name: 'Show 1,000 new' }).click();
    await inbox.locator('[aria-setsize="1000"]').first().waitFor();
    const rows = await scrolledThrough(inbox);
    assert.deepEqual(rows.map(([, text]) => text).sort(), [...texts].sort());
    assert.equal(new Set(rows.map(([id]) => id)).size, 1_000);
    const { workspace } = await ask(page, STORED, { id: hook.id });
    assert.equal(workspace.feedback.totalCount, 1_000);

    // The overview has been there all the time, too: its newest are the newest, and its figure is the sum.
    await until(
      () => total(page),
      (now) => now === before + 1_000,
    );
    // The sum is told at once when the connection is back, the rest one after the other.
    await page.locator('[data-light=live]').waitFor({ timeout: 60_000 });
    const newest = page.getByRole('listitem').filter({ hasText: word }).locator('p');
    const expected = rows.slice(0, 25).map(([, text]) => text);
    await until(
      () => newest.allTextContents(),
      (now) => isDeepStrictEqual(now, expected),
      10,
    );
    for (const each of [page, inbox]) assert.equal(await each.locator('body[data-stayed]').count(), 1);
  },
};
