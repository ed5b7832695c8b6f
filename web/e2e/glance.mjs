// The shortest look at a dashboard, with axe and its policy, as a test of the server: node glance.mjs BASE CHROMIUM EMAIL PASSWORD SLUG
import assert from 'node:assert/strict';
import { findingsHere } from './axe.mjs';
import { launched } from './browser.mjs';
import { ask, SUBMIT, signIn } from './signing_in.mjs';

const [base, executablePath, email, password, slug] = process.argv.slice(2);
const browser = await launched(executablePath);
try {
  const page = await browser.newPage({ baseURL: base, locale: 'en-GB', reducedMotion: 'reduce' });
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on(
    'console',
    (message) => message.text().includes('Content Security Policy') && complaints.push(message.text()),
  );
  page.setDefaultTimeout(60_000);
  await page.goto('/login');
  await page.getByRole('heading', { level: 1 }).waitFor();
  const found = await findingsHere(page, 'sign-in');
  await signIn(page, email, password);
  await page.locator('[data-light=live]').waitFor();
  const body = `Seen at a glance ${Date.now()}`;
  const { workspace } = await ask(page, 'query($slug: String!) { workspace(slug: $slug) { id } }', { slug });
  const { submitFeedback } = await ask(page, SUBMIT, { input: { workspaceId: workspace.id, body } });
  assert.ok(submitFeedback.feedback, JSON.stringify(submitFeedback));
  const rows = page.getByRole('listitem').filter({ hasText: body });
  await rows.first().waitFor();

  assert.equal(await rows.count(), 1);
  found.push(...(await findingsHere(page, 'overview')));
  await page.goto(`/w/${slug}/inbox`);
  await page.locator('[data-row]', { hasText: body }).waitFor();
  found.push(...(await findingsHere(page, 'inbox')));
  assert.deepEqual(found, []);
  assert.deepEqual(complaints, []);
} finally {
  await browser.close();
}
