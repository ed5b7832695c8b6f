import assert from 'node:assert/strict';
import { ask, signIn } from './signing_in.mjs';

export const tests = {
  async 'who is not signed in is asked to, and comes back to the page'({ page }) {
    await page.goto('/w/demo');
    await page.getByLabel('E-mail').fill('demo@earful.example');
    await page.getByLabel('Password').fill('another password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('The e-mail address or the password is wrong.').waitFor();

    await page.getByLabel('Password').fill('earful-demo-password');
    await page.getByRole('button', { name: 'Sign in' }).click();

    await page.waitForURL('**/w/demo');
    await page.getByRole('heading', { level: 1, name: 'Demo Company' }).waitFor();
  },

  async 'no script sees a token'({ page }) {
    await signIn(page);
    const seen = await page.evaluate(
      () => document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage),
    );

    assert.doesNotMatch(seen, /earful_access|earful_refresh|earful_rt_|eyJ/);
  },

  async 'an access token that is gone is renewed without a word'({ page, context }) {
    await signIn(page);
    await context.clearCookies({ name: /earful_access$/ });
    await page.goto('/workspaces');

    await page.getByRole('heading', { level: 1, name: 'Workspaces' }).waitFor();
  },

  async 'a session that has ended leads to the sign-in'({ page, context }) {
    await signIn(page);
    await page.getByRole('link', { name: 'Overview' }).waitFor();
    await context.clearCookies();
    await page.reload();

    await page.waitForURL('**/login?to=%2Fw%2Fdemo');
  },

  async 'signing out ends it in all tabs'({ page, context }) {
    await signIn(page);
    const other = await context.newPage();
    await other.goto('/w/demo');
    await other.getByRole('heading', { level: 1, name: 'Demo Company' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();

    await page.waitForURL('**/login*');
    await other.waitForURL('**/login*');
  },

  async 'somebody new registers and makes a workspace'({ page }) {
    const name = `e2e-${Date.now()}`;
    await page.goto('/register');
    await page.getByLabel('Your name').fill('Ada');
    await page.getByLabel('E-mail').fill(`${name}@earful.example`);
    await page.getByLabel('Password').fill('123456789012');
    await page.getByRole('button', { name: 'Register' }).click();
    await page.getByText('Please check what is marked.').waitFor();
    assert.equal(await page.getByLabel('Password').getAttribute('aria-invalid'), 'true');

    await page.getByLabel('Password').fill('a quiet grey harbour');
    await page.getByRole('button', { name: 'Register' }).click();
    await page.getByText('You belong to no workspace yet').waitFor();
    await page.getByLabel('Name', { exact: true }).fill('Harbour');
    await page.getByLabel('Name in addresses').fill(name);
    await page.getByRole('button', { name: 'Make it' }).click();

    await page.getByRole('heading', { level: 1, name: 'Harbour' }).waitFor();
    await page.getByText('No feedback yet').waitFor();
    const { workspace } = await ask(page, 'query($slug: String!) { workspace(slug: $slug) { name } }', { slug: name });
    assert.equal(workspace.name, 'Harbour');
  },

  async 'a workspace of others is not there'({ page }) {
    await signIn(page);
    await page.goto('/w/other');

    await page.getByRole('heading', { level: 1, name: 'There is nothing here' }).waitFor();
  },

  async 'German is German, and stays'({ page }) {
    await page.goto('/login');
    await page.getByLabel('Language').selectOption('de');
    await page.getByRole('heading', { level: 1, name: 'Anmelden' }).waitFor();
    await page.reload();

    await page.getByRole('heading', { level: 1, name: 'Anmelden' }).waitFor();
    assert.equal(await page.locator('html').getAttribute('lang'), 'de');
  },
};
