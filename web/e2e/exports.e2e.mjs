import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { until } from './processes.mjs';
import { ask, signIn, submit } from './signing_in.mjs';

const RESULT = '{ workspace(slug: "demo") { jobs(first: 1, kind: "KIND") { nodes { status resultUrl result } } } }';

const PYTHON = path.join(import.meta.dirname, '../../.venv/bin/python');
const READ =
  'import pypdf, sys; print(*(page.extract_text() for page in pypdf.PdfReader(sys.argv[1], strict=True).pages))';

/** What somebody reads who opens the PDF. */
async function read(pdf) {
  return (await promisify(execFile)(PYTHON, ['-c', READ, pdf])).stdout;
}

/** The newest job of a kind. */
async function newest(page, kind) {
  const { workspace } = await ask(page, RESULT.replace('KIND', kind));
  const [job] = workspace.jobs.nodes;
  return job;
}

export const tests = {
  async 'some feedback is exported, and its file is downloaded'({ page, allow }) {
    await signIn(page);
    const word = `ibex${Date.now()}`;
    for (const number of [1, 2, 3]) await submit(page, `The ${word} number ${number}.`);
    await page.getByRole('link', { name: 'Exports', exact: true }).click();
    await page.getByLabel('File', { exact: true }).selectOption('NDJSON');
    await page.getByText('Only some of it').click();
    await page.getByLabel('Words in the text').fill(word);
    await page.getByRole('button', { name: 'Start the export' }).click();
    await page.getByText('The export has begun.').waitFor();
    const row = page.getByRole('table', { name: 'Exports of the last days' }).getByRole('row').nth(1);
    await row.getByText('done').waitFor({ timeout: 60_000 });
    await row.getByRole('rowheader', { name: /\.ndjson$/ }).waitFor();
    await row.getByRole('cell', { name: '3', exact: true }).waitFor();
    allow((await newest(page, 'export')).resultUrl);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      row.getByRole('button', { name: 'Download' }).click(),
    ]);

    const text = await readFile(await download.path(), 'utf8');
    const bodies = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).body);
    assert.deepEqual(
      bodies,
      [1, 2, 3].map((number) => `The ${word} number ${number}.`),
    );
  },

  async 'a report is a PDF that opens, and says what is in the workspace'({ page, allow }) {
    await signIn(page);
    const word = `kestrel${Date.now()}`;
    await submit(page, `The ${word} is a wonderful, excellent thing.`);
    await submit(page, `The ${word} is terrible, and broke at once.`);
    await page.goto('/w/demo/exports');
    await page.getByLabel('File', { exact: true }).selectOption('PDF');
    await page.getByText('Only some of it').click();
    await page.getByLabel('Words in the text').fill(word);
    await page.getByRole('button', { name: 'Start the export' }).click();
    await page.getByText('The export has begun.').waitFor();
    const { resultUrl } = await until(
      () => newest(page, 'export'),
      ({ status }) => status === 'SUCCEEDED',
    );
    allow(resultUrl);
    await page.reload();
    const row = page.getByRole('table', { name: 'Exports of the last days' }).getByRole('row').nth(1);
    await row.getByRole('rowheader', { name: /\.pdf$/ }).waitFor();
    await row.getByRole('cell', { name: '2', exact: true }).waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      row.getByRole('button', { name: 'Download' }).click(),
    ]);

    assert.match(download.suggestedFilename(), /\.pdf$/);
    const text = await read(await download.path());
    assert.ok(text.startsWith('Customer feedback\nDemo Company\n'), text.slice(0, 200));
    assert.ok(text.includes(`The ${word} is terrible, and broke at once.`), text);
    assert.match(text, /Page 1 of 1/);
  },

  async 'a report is mailed again and again until its schedule is deleted'({ page }) {
    await signIn(page);
    const name = `Complaints ${Date.now()}`;
    await page.goto('/w/demo/exports');
    await page.getByRole('button', { name: 'New schedule' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name', { exact: true }).fill(name);
    await dialog.getByLabel('Of each').selectOption('WEEK');
    await dialog.getByLabel('Hour').fill('6');
    await dialog.getByRole('button', { name: 'Schedule it' }).click();
    const row = page.getByRole('row').filter({ hasText: name });
    await row.getByText('on Mondays at 06:00 (Europe/Berlin)').waitFor();
    await row.getByText(/, 06:00$/).waitFor();
    await row.getByText('not yet').waitFor();
    await row.getByRole('button', { name: 'Change' }).click();
    await dialog.getByLabel('Of each').selectOption('DAY');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await row.getByText('each day at 06:00').waitFor();
    await row.getByRole('button', { name: 'Pause' }).click();
    await row.getByText('paused', { exact: true }).waitFor();
    await page.reload();
    await row.getByText('paused', { exact: true }).waitFor();
    await row.getByRole('button', { name: 'Go on' }).click();
    await row.getByText(/, 06:00$/).waitFor();

    await row.getByRole('button', { name: 'Delete' }).click();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('The schedule is gone.').waitFor();
    await row.waitFor({ state: 'detached' });
  },

  async 'an author is handed out, then erased, and leaves a receipt'({ page }) {
    await signIn(page);
    const email = `ada-${Date.now()}@example.com`;
    const { workspace } = await ask(page, '{ workspace(slug: "demo") { id } }');
    const input = { workspaceId: workspace.id, body: 'It broke.', author: { email } };
    await ask(page, 'mutation($input: SubmitFeedbackInput!) { submitFeedback(input: $input) { __typename } }', {
      input,
    });
    await page.getByRole('link', { name: 'Retention and erasure' }).click();
    const handOut = page.getByRole('region', { name: 'Hand out what is known of an author' });
    await handOut.getByLabel('Address or id').fill(email);
    await handOut.getByRole('button', { name: 'Make the file' }).click();
    await handOut.getByRole('button', { name: 'Download' }).first().waitFor({ timeout: 60_000 });
    const { result } = await until(
      () => newest(page, 'export_author'),
      ({ status }) => status === 'SUCCEEDED',
    );
    assert.equal(result.feedback, 1);

    const erase = page.getByRole('region', { name: 'Erase an author' });
    await erase.getByLabel('Address or id').fill(email);
    await erase.getByRole('button', { name: 'Erase' }).click();
    await page
      .getByRole('dialog')
      .getByRole('heading', { name: `Erase ${email}?` })
      .waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Erase' }).click();
    const receipt = page.getByRole('table', { name: 'Receipts' }).getByRole('row').nth(1);
    await receipt.getByText('erased, by address').waitFor({ timeout: 60_000 });
    await receipt.getByRole('cell', { name: '1', exact: true }).first().waitFor();
    const left = `{ workspace(slug: "demo") { erasures { feedbackCount } } }`;
    assert.equal((await ask(page, left)).workspace.erasures[0].feedbackCount, 1);
  },
};
