import assert from 'node:assert/strict';
import { signIn } from './signing_in.mjs';

export const tests = {
  async 'GraphiQL asks with the key of the partner, and keeps it nowhere'({ page, context }) {
    await signIn(page);
    const name = `Explorer ${Date.now()}`;
    await page.goto('/w/demo/api-keys');
    await page.getByRole('button', { name: 'New API key' }).click();
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.getByRole('button', { name: 'Make the key' }).click();
    await page.getByRole('heading', { name: 'The secret' }).waitFor();
    const secret = await page.getByRole('dialog').locator('pre').innerText();
    await page.getByRole('button', { name: 'I have kept it' }).click();

    await page.getByRole('link', { name: 'Partners' }).click();
    await page.getByLabel('API key', { exact: true }).fill(secret);
    await page.getByRole('button', { name: 'Look at it' }).click();
    await page.getByRole('button', { name: 'Who am I' }).click();
    const opening = context.waitForEvent('page');
    await page.getByRole('button', { name: `Open in GraphiQL as ${name}` }).click();
    const explorer = await opening;
    await explorer.getByText(`Signed in as API key “${name}”`).waitFor();
    await explorer.getByRole('button', { name: /^Execute query/ }).click();
    await explorer.locator('.result-window', { hasText: name }).waitFor();
    const stored = await explorer.evaluate(
      () => JSON.stringify({ ...localStorage }) + JSON.stringify({ ...sessionStorage }),
    );
    assert.equal(stored.includes(secret), false);
    assert.equal(explorer.url().includes(secret), false);
  },

  async 'the changes of the schema are told, what breaks before the rest'({ page }) {
    await signIn(page);
    await page.goto('/w/demo/partners');
    const changes = page.getByRole('region', { name: 'Changes of the schema' });
    await changes.getByText('Breaking', { exact: true }).first().waitFor();

    assert.match(await changes.getByRole('listitem').first().innerText(), /^Breaking/);
    assert.ok((await changes.getByRole('listitem').count()) > 10);
  },
};
