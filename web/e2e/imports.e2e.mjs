import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { bucket } from './bucket.mjs';
import { ask, signIn, submit } from './signing_in.mjs';

const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
  'base64',
);
const FOUND =
  'query($word: String!) { workspace(slug: "demo") { feedback(filter: { search: $word }) { totalCount } } }';

/** A file of that many good rows, each with the word, and two that are not. */
function reviews(word, good) {
  const rows = Array.from({ length: good }, (_, each) => `${each},Good ${word} ${each},${each % 11},Ada`);
  const bad = ['x,No number,many,Grace', 'y,,3,Edsger'];
  const buffer = Buffer.from(['Nr,Remark,Stars,Customer', ...rows, ...bad].join('\n'));
  return { name: `${word}.csv`, mimeType: 'text/csv', buffer };
}

/** As many as there are, once there are so many. */
async function counted(page, word, wanted) {
  for (let turn = 0; turn < 60; turn += 1) {
    const { workspace } = await ask(page, FOUND, { word });
    if (workspace.feedback.totalCount === wanted) return;
    await new Promise((done) => setTimeout(done, 500));
  }
  assert.fail(`There are not ${wanted} with ${word}`);
}

export const tests = {
  async 'a file with errors is looked into, imported, and undone'({ page, base, allow }) {
    allow(await bucket(base));
    await signIn(page);
    const word = `heron${Date.now()}`;
    await page.getByRole('link', { name: 'Imports' }).click();
    await page.getByLabel('A file to import').setInputFiles(reviews(word, 700));
    await page.getByRole('combobox', { name: 'Text' }).selectOption('Remark');
    await page.getByRole('cell', { name: `Good ${word} 3`, exact: true }).waitFor();
    await page.getByText('702 rows, 2 of them are refused').waitFor();
    await page.getByRole('cell', { name: 'must be a whole number from 0 to 10' }).waitFor();
    await counted(page, word, 0);

    await page.getByRole('button', { name: 'Start the import' }).click();
    await page.getByRole('heading', { level: 1, name: `${word}.csv` }).waitFor();
    await page.getByRole('heading', { name: 'Refused rows' }).waitFor();
    await page.getByRole('cell', { name: 'must not be blank' }).waitFor();
    const figures = await page.locator('[data-kind]').locator('dd').allTextContents();
    assert.deepEqual(figures, ['702', '700', '0', '2']);
    await counted(page, word, 700);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download all as CSV' }).click(),
    ]);
    const told = await readFile(await download.path(), 'utf8');
    const [header, ...refused] = told.trim().split('\r\n');
    assert.equal(header, 'row,column,reason,original');
    assert.deepEqual(refused, [
      '701,Stars,must be a whole number from 0 to 10,"x,No number,many,Grace"',
      '702,Remark,must not be blank,"y,,3,Edsger"',
    ]);

    await page.getByRole('button', { name: 'Undo the import' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Undo the import' }).click();
    await page.getByText('700 feedback deleted').waitFor();
    await counted(page, word, 0);
    await page.getByRole('main').getByRole('link', { name: 'Imports' }).click();
    await page
      .getByRole('row', { name: `${word}.csv` })
      .getByText('undone')
      .waitFor();

    await page.getByRole('link', { name: 'Jobs' }).click();
    for (const kind of ['import', 'undo_import']) {
      await page
        .getByRole('row', { name: `${word}.csv` })
        .filter({ has: page.getByText(kind, { exact: true }) })
        .getByText('done', { exact: true })
        .waitFor();
    }
  },

  async 'what cannot be imported is refused before it is sent'({ page }) {
    await signIn(page);
    await page.goto('/w/demo/imports');
    await page
      .getByLabel('A file to import')
      .setInputFiles({ name: 'picture.png', mimeType: 'image/png', buffer: PICTURE });

    await page.getByText('Such a file cannot be imported.').waitFor();
  },

  async 'a file without a text is not imported'({ page, base, allow }) {
    allow(await bucket(base));
    await signIn(page);
    await page.goto('/w/demo/imports');
    const buffer = Buffer.from('a,b\n1,2\n');
    await page.getByLabel('A file to import').setInputFiles({ name: 'odd.csv', mimeType: 'text/csv', buffer });
    await page.getByText('must name the column with what customers wrote').waitFor();
    await page.getByRole('button', { name: 'Start the import' }).click();

    await page.getByText('Please check what is marked.').waitFor();
  },

  async 'a file is attached to a feedback, and saved from there'({ page, base, allow }) {
    allow(await bucket(base));
    await signIn(page);
    const id = await submit(page, `With a picture ${Date.now()}`);
    await page.goto(`/w/demo/inbox/${id}`);
    const name = 'screen.png';
    await page.getByLabel('Attach a file').setInputFiles({ name, mimeType: 'image/png', buffer: PICTURE });
    await page.getByText(`${name} is attached.`).waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: `Download ${name}` }).click(),
    ]);

    assert.deepEqual(await readFile(await download.path()), PICTURE);
  },

  async 'an account gets a picture, and has it no more'({ page, base, allow }) {
    allow(await bucket(base));
    await signIn(page);
    await page.goto('/account');
    await page.getByLabel('Another picture').setInputFiles({ name: 'me.png', mimeType: 'image/png', buffer: PICTURE });
    const picture = page.getByRole('img', { name: /^Picture of/ });
    await picture.waitFor();
    await page.waitForFunction(() =>
      [...document.images].some(({ alt, naturalWidth }) => /^Picture of/.test(alt) && naturalWidth === 256),
    );
    await page.getByRole('button', { name: 'Remove it' }).click();

    await page.getByText('You have no picture.').waitFor();
  },
};
