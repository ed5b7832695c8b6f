import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ask, signIn, submit } from './signing_in.mjs';

const FOUND = '{ workspace(slug: "demo") { feedback(first: 50, filter: { search: "WORD" }) { nodes { id body } } } }';

/** Kills the server's process, which its supervisor starts again. */
async function kill(data) {
  const { pid } = JSON.parse(await readFile(path.join(data, 'run', 'api.json'), 'utf8'));
  process.kill(pid, 'SIGKILL');
}

/** Asks until it is answered: while the server is away nobody is. */
async function insisted(work, seconds = 120) {
  for (let turn = 0; ; turn += 1) {
    try {
      return await work();
    } catch (error) {
      if (turn > seconds * 2) throw error;
      await new Promise((done) => setTimeout(done, 500));
    }
  }
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
    await signIn(page);
    await page.locator('[data-light=live]').waitFor();
    const elsewhere = await context.newPage();
    await elsewhere.goto('/workspaces');
    // The page of the connection that breaks: its requests fail, and its socket is closed under it.
    await page.evaluate(() => document.querySelector('[data-light]').setAttribute('data-watched', ''));
    const body = `Said meanwhile ${Date.now()}`;
    await context.setOffline(true);
    await context.setOffline(false);
    await submit(elsewhere, body);

    await page.getByText(body).waitFor();
    await page.locator('[data-light=live]').waitFor();
    assert.equal(await page.getByText(body).count(), 1);
  },

  async 'no row is lost or doubled while the server is killed twice'({ page, context, data }) {
    await signIn(page);
    await page.locator('[data-light=live]').waitFor();
    const sender = await context.newPage();
    await sender.goto('/workspaces');
    const word = `otter${Date.now()}`;
    for (let number = 0; number < 15; number += 1) {
      if (number === 5 || number === 10) await kill(data);
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
};
