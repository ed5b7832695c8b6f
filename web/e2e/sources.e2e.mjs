import assert from 'node:assert/strict';
import { ask, signIn } from './signing_in.mjs';

const FOUND =
  'query($word: String!) { workspace(slug: "demo") { feedback(filter: { search: $word }) { totalCount } } }';

/** Answers how many there are with the word, once there are any. */
async function arrived(page, word) {
  for (let turn = 0; turn < 60; turn += 1) {
    const { workspace } = await ask(page, FOUND, { word });
    if (workspace.feedback.totalCount) return workspace.feedback.totalCount;
    await new Promise((done) => setTimeout(done, 500));
  }
  return 0;
}

export const tests = {
  async 'a mapping is tried, and mended by what is in quarantine'({ page }) {
    await signIn(page);
    const name = `Reviews ${Date.now()}`;
    const secret = `secret-${Date.now()}`;
    await page.getByRole('link', { name: 'Sources' }).click();
    await page.getByRole('button', { name: 'New source' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name', { exact: true }).fill(name);
    await dialog.getByLabel('Service').selectOption('GENERIC');
    await dialog.getByLabel('Their secret').fill(secret);
    await dialog.getByLabel('How it proves itself').selectOption('BEARER');
    await dialog.getByLabel('Text of the feedback').fill('text');
    await dialog.getByLabel('Something that it sends').fill('{"text": "Great", "stars": 5}');
    await dialog.getByRole('button', { name: 'Try it' }).click();
    await dialog.getByText('1 message found.').waitFor();
    await dialog.getByText('"body": "Great"').waitFor();
    await dialog.getByRole('button', { name: 'Make the source' }).click();
    await dialog.getByRole('button', { name: 'I have kept it' }).click();
    await page.getByRole('link', { name }).click();

    const url = await page.locator('pre', { hasText: '/hooks/' }).textContent();
    const word = `egret${Date.now()}`;
    const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
    await fetch(url, { method: 'POST', headers, body: JSON.stringify({ review: { words: `A ${word}` } }) });
    await page.reload();
    await page.getByRole('button', { name: 'Mend the mapping' }).click();
    await dialog.getByRole('button', { name: 'Try it' }).click();
    await dialog.getByText('no feedback').waitFor();
    await dialog.getByLabel('Text of the feedback').fill('review.words');
    await dialog.getByRole('button', { name: 'Try it' }).click();
    await dialog.getByText(`"body": "A ${word}"`).waitFor();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('The source is changed.').waitFor();
    await page.getByRole('button', { name: 'Try all again' }).click();

    await page.getByText('1 message stored, 0 known, 0 refused again.').waitFor();
    assert.equal(await arrived(page, word), 1);
  },

  async 'a source is named, limited and masked, and gets another secret'({ page }) {
    await signIn(page);
    const name = `Shop ${Date.now()}`;
    await page.goto('/w/demo/sources');
    await page.getByRole('button', { name: 'New source' }).click();
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.getByRole('button', { name: 'Make the source' }).click();
    const before = await page.getByRole('dialog').locator('pre').textContent();
    await page.getByRole('button', { name: 'I have kept it' }).click();
    await page.getByRole('link', { name }).click();
    await page.getByRole('button', { name: 'Change' }).click();
    await page.getByLabel('Name', { exact: true }).fill(`${name} here`);
    await page.getByLabel('Messages a minute at most').fill('30');
    await page.getByLabel('E-mail addresses').check();
    await page.getByLabel('Authors, too').check();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { level: 1, name: `${name} here` }).waitFor();
    await page.getByText('E-mail addresses, Authors, too').waitFor();
    await page.getByRole('button', { name: 'New secret' }).click();
    await page.getByLabel('The old one is good for so many hours more').fill('1');
    await page.getByRole('dialog').getByRole('button', { name: 'New secret' }).click();
    await page.getByRole('heading', { name: 'The secret' }).waitFor();

    assert.notEqual(await page.getByRole('dialog').locator('pre').textContent(), before);
  },

  async 'a form is made, looked at and sent'({ page, context, base }) {
    await signIn(page);
    const name = `Form ${Date.now()}`;
    const word = `stilt${Date.now()}`;
    await page.goto('/w/demo/sources');
    await page.getByRole('button', { name: 'New source' }).click();
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.getByLabel('Kind').selectOption('FORM');
    await page.getByLabel('Pages that may send').fill('www.example.com');
    await page.getByRole('button', { name: 'Make the source' }).click();
    await page.getByText('must be an origin').waitFor();
    await page.getByLabel('Pages that may send').fill(`https://www.example.com\n${base}`);
    await page.getByRole('button', { name: 'Make the source' }).click();
    await page.getByRole('link', { name }).click();
    await page.getByLabel('Rating', { exact: true }).check();
    await page.locator('pre', { hasText: 'data-fields="name,email,rating"' }).waitFor();
    const to = await page.getByRole('link', { name: 'Look at the form' }).getAttribute('href');

    const visitor = await context.browser().newContext({ baseURL: base, locale: 'de-DE' });
    const theirs = await visitor.newPage();
    await theirs.goto(to);
    await theirs.locator('form').getByLabel('Ihre Rückmeldung').fill(`Ein ${word}`);
    await theirs.locator('form').getByRole('button', { name: 'Senden' }).click();
    await theirs.getByText('Vielen Dank!').waitFor();
    await visitor.close();
    assert.equal(await arrived(page, word), 1);
  },

  async 'a visitor writes to a workspace, and sees that it was delivered'({ page, context, base }) {
    const visitor = await context.browser().newContext({ baseURL: base, locale: 'en-GB' });
    const theirs = await visitor.newPage();
    await theirs.goto('/contact/demo');
    await theirs.getByLabel('Your name').fill('Grace');
    await theirs.getByLabel('Your e-mail address').fill('grace@earful.example');
    await theirs.getByLabel('Your message').fill('Are you open on Sundays?');
    await theirs.getByRole('button', { name: 'Send it' }).click();
    await theirs.getByText('Your message has arrived.').waitFor();
    await theirs.getByText('A mail to grace@earful.example confirms it.').waitFor();
    await visitor.close();

    await signIn(page);
    await page.getByRole('link', { name: 'Contact' }).click();
    await page.getByRole('cell', { name: 'done' }).first().waitFor();
  },

  async 'nobody has a contact form that is not there'({ page }) {
    await page.goto('/contact/nobody-at-all');
    await page.getByLabel('Your name').fill('Grace');
    await page.getByLabel('Your e-mail address').fill('grace@earful.example');
    await page.getByLabel('Your message').fill('Hello?');
    await page.getByRole('button', { name: 'Send it' }).click();

    await page.getByText('Nobody has this contact form.').waitFor();
  },
};
