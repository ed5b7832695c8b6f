// Links a provider of identities on the page of the account, and parts again: node linking.mjs BASE CHROMIUM EMAIL PASSWORD ISSUER
import assert from 'node:assert/strict';
import { launched } from './browser.mjs';
import { ask, signIn } from './signing_in.mjs';

const [base, executablePath, email, password, issuer] = process.argv.slice(2);
const LINKED = '{ viewer { user { linkedIdentities { issuer } } } }';

const browser = await launched(executablePath);
try {
  const page = await browser.newPage({ baseURL: base, locale: 'en-GB', reducedMotion: 'reduce' });
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.setDefaultTimeout(60_000);
  const linked = async () => (await ask(page, LINKED)).viewer.user.linkedIdentities.map((each) => each.issuer);
  await signIn(page, email, password);
  await page.goto('/account');

  await page.getByRole('button', { name: 'Sign in by Real too' }).click();
  await page.waitForURL(`${issuer}/**`);
  await page.getByPlaceholder('sub').fill('ada');
  await page.getByRole('button', { name: 'Authorize' }).click();
  await page.waitForURL(`${base}/account`);
  const row = page.getByRole('table', { name: 'Signing in by others' }).getByRole('row').filter({ hasText: issuer });
  await row.waitFor();
  assert.deepEqual(await linked(), [issuer]);

  await row.getByRole('button', { name: 'Unlink' }).click();
  await page.getByRole('dialog').getByText(`You sign in by ${issuer} no more.`).waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Unlink' }).click();
  await row.waitFor({ state: 'detached' });
  assert.deepEqual(await linked(), []);
  assert.deepEqual(complaints, []);
} finally {
  await browser.close();
}
