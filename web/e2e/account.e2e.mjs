import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { signIn } from './signing_in.mjs';

const PASSWORD = 'a quiet grey harbour';

export const tests = {
  async 'an account is verified, gets a second factor, and is entered by a recovery code'({ page, data }) {
    const email = await register(page, 'Grace');
    await page.goto(await linkIn(data, email, '/account/verify'));
    await page.getByRole('button', { name: 'Confirm' }).click();
    await page.getByText('Your e-mail address is confirmed.').waitFor();

    await page.goto('/account');
    await page.getByRole('button', { name: 'Set up an app' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Your password').fill(PASSWORD);
    await dialog.getByRole('button', { name: 'Go on' }).click();
    await dialog.getByRole('img', { name: /QR code/ }).waitFor();
    await dialog.getByLabel('Code', { exact: true }).fill(totp(await dialog.locator('pre').innerText()));
    await dialog.getByRole('button', { name: 'Turn it on' }).click();
    await dialog.getByRole('button', { name: 'I have kept them' }).waitFor();
    const [recovery] = (await dialog.locator('pre').innerText()).split('\n');
    await dialog.getByRole('button', { name: 'I have kept them' }).click();
    await page.getByText('Signing in takes a code of your authenticator app.').waitFor();

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL('**/login*');
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByLabel('Code').fill(recovery);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { level: 1, name: 'Account' }).waitFor();
  },

  async 'a forgotten password is set by mail'({ page, data }) {
    const email = await register(page, 'Edsger');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('link', { name: 'Forgotten your password?' }).click();
    await page.getByLabel('E-mail').fill(email);
    await page.getByRole('button', { name: 'Send the link' }).click();
    await page.getByText('a mail is on its way').waitFor();
    await page.goto(await linkIn(data, email, '/account/reset-password'));
    await page.getByLabel('New password').fill('another quiet harbour');
    await page.getByRole('button', { name: 'Set the password' }).click();
    await page.getByRole('link', { name: 'Sign in' }).click();
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password').fill('another quiet harbour');
    await page.getByRole('button', { name: 'Sign in' }).click();

    await page.getByRole('heading', { level: 1, name: 'Workspaces' }).waitFor();
  },

  async 'who was invited as a viewer comes in, and is shown nothing to change'({ page, context, data, base }) {
    await signIn(page);
    const email = `viewer-${Date.now()}@earful.example`;
    await page.goto('/w/demo/members');
    await page.getByLabel('E-mail').fill(email);
    await page.getByRole('combobox', { name: 'Role', exact: true }).selectOption('VIEWER');
    await page.getByRole('button', { name: 'Invite' }).click();
    await page.getByRole('cell', { name: 'Viewer' }).first().waitFor();
    const link = await linkIn(data, email, '/account/accept-invitation');
    const elsewhere = await context.browser().newContext({ baseURL: base, locale: 'en-GB' });
    const theirs = await elsewhere.newPage();
    await theirs.goto(link);
    await theirs.getByLabel('Your name').fill('Viewer');
    await theirs.getByLabel('Password').fill(PASSWORD);
    await theirs.getByRole('button', { name: 'Accept' }).click();
    await theirs.waitForURL('**/w/demo');
    await theirs.getByRole('link', { name: 'Members' }).click();
    await theirs.getByRole('cell', { name: email }).waitFor();

    assert.equal(await theirs.getByRole('link', { name: 'API keys' }).count(), 0);
    assert.equal(await theirs.getByRole('button', { name: 'Invite' }).count(), 0);
    assert.equal(await theirs.getByRole('combobox', { name: /^Role of/ }).count(), 0);
    await elsewhere.close();
  },

  async 'a key is made, shown once, and used on the page of the partners'({ page }) {
    await signIn(page);
    const name = `Shop ${Date.now()}`;
    await page.getByRole('link', { name: 'API keys' }).click();
    await page.getByRole('button', { name: 'New API key' }).click();
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.getByRole('button', { name: 'Make the key' }).click();
    await page.getByRole('heading', { name: 'The secret' }).waitFor();
    const secret = await page.getByRole('dialog').locator('pre').innerText();
    await page.getByRole('button', { name: 'I have kept it' }).click();
    await page.getByRole('rowheader', { name }).waitFor();
    assert.equal((await page.content()).includes(secret), false);

    await page.getByRole('link', { name: 'Partners' }).click();
    await page.getByLabel('API key', { exact: true }).fill(secret);
    await page.getByRole('button', { name: 'Look at it' }).click();
    await page.getByText(`${name} is good for: feedback:write.`).waitFor();
    await page.getByRole('button', { name: 'Submit a message with it' }).click();
    await page.getByText('It has arrived.').waitFor();
  },

  async 'a source and a webhook are made, and every page of the admin is there'({ page }) {
    await signIn(page);
    await page.getByRole('link', { name: 'Sources' }).click();
    await page.getByRole('button', { name: 'New source' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Shop');
    await page.getByRole('button', { name: 'Make the source' }).click();
    await page.getByRole('button', { name: 'I have kept it' }).click();
    await page.getByRole('link', { name: 'Shop' }).first().click();
    await page.getByText('Nothing is in quarantine').waitFor();

    await page.getByRole('link', { name: 'Webhooks' }).click();
    await page.getByRole('button', { name: 'New webhook' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Warehouse');
    await page.getByLabel('URL').fill('https://example.com/hook');
    await page.getByRole('button', { name: 'Make the webhook' }).click();
    await page.getByRole('button', { name: 'I have kept it' }).click();
    await page.getByRole('link', { name: 'Warehouse' }).first().click();
    await page.getByRole('button', { name: 'Send a test' }).click();
    await page.getByRole('rowheader', { name: 'webhook.test' }).waitFor();

    for (const name of ['Roles', 'Jobs', 'Dead letters', 'Schedules', 'Audit log']) {
      await page.getByRole('link', { name }).click();
      await page.getByRole('heading', { level: 1, name }).waitFor();
      await page.getByText('That did not work').waitFor({ state: 'hidden' });
    }
    await page.getByText('webhook.created').first().waitFor();
  },
};

/** Somebody new, signed in; answers their address. */
async function register(page, name) {
  const email = `${name.toLowerCase()}-${Date.now()}@earful.example`;
  await page.goto('/register');
  await page.getByLabel('Your name').fill(name);
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Register' }).click();
  await page.getByRole('heading', { level: 1, name: 'Workspaces' }).waitFor();
  return email;
}

/** The path that a mail to the address links to, as soon as the worker has written it. */
async function linkIn(data, email, to) {
  const folder = path.join(data, 'mail');
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    for (const name of await readdir(folder).catch(() => [])) {
      const mail = (await readFile(path.join(folder, name), 'utf8')).replace(/=\r?\n/g, '').replaceAll('=3D', '=');
      const found = new RegExp(`${to}\\?token=[\\w-]+`).exec(mail);
      if (found && mail.includes(`To: ${email}`)) return found[0];
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`No mail to ${email} links to ${to}`);
}

/** The code of RFC 6238 for now. */
function totp(secret) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret.trim()].map((each) => alphabet.indexOf(each).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const hash = createHmac('sha1', key).update(counter).digest();
  const offset = (hash.at(-1) ?? 0) & 15;
  return String((hash.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}
