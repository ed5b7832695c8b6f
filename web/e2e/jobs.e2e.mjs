import assert from 'node:assert/strict';
import { bucket } from './bucket.mjs';
import { kill, processOf, until } from './processes.mjs';
import { ask, signIn } from './signing_in.mjs';

const ROWS = 4_000;
const IMPORT = `{ workspace(slug: "demo") { jobs(first: 1, kind: "import") { nodes { id status attempts result } } } }`;
const DEAD = 'query($id: ID!) { deadJobs(first: 50, workspaceId: $id, kind: "import") { nodes { id } } }';

export const tests = {
  async 'a job that three workers died of is a dead letter, and is done after all when it is requeued'({
    page,
    base,
    allow,
    data,
  }) {
    allow(await bucket(base));
    await signIn(page);
    const word = `godwit${Date.now()}`;
    const rows = Array.from({ length: ROWS }, (_, number) => `Number ${number} of the ${word}.`);
    await page.getByRole('link', { name: 'Imports' }).click();
    const buffer = Buffer.from(['text', ...rows].join('\n'));
    await page.getByLabel('A file to import').setInputFiles({ name: `${word}.csv`, mimeType: 'text/csv', buffer });
    await page.getByRole('button', { name: 'Start the import' }).click();
    await page.getByRole('heading', { level: 1, name: `${word}.csv` }).waitFor();
    const job = async () => (await ask(page, IMPORT)).workspace.jobs.nodes[0];
    let worker;
    for (let death = 1; death <= 3; death += 1) {
      await until(job, ({ status, attempts }) => status === 'RUNNING' && attempts === death);
      worker = await until(
        () => processOf(data, 'worker'),
        (pid) => pid !== worker,
      );
      await kill(data, 'worker');
    }
    const { id } = await until(job, ({ status }) => status === 'FAILED');

    await page.getByRole('link', { name: 'Dead letters' }).click();
    const letter = page.getByRole('row').filter({ hasText: '3 workers died while they did this' }).first();
    await letter.getByText('quarantined').waitFor();
    await letter.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('It waits for a worker again.').waitFor();
    const { workspace } = await ask(page, '{ workspace(slug: "demo") { id } }');
    const { deadJobs } = await ask(page, DEAD, { id: workspace.id });
    assert.equal(
      deadJobs.nodes.some((each) => each.id === id),
      false,
    );

    // What the dead had stored is not stored again.
    const done = await until(job, ({ status }) => status === 'SUCCEEDED');
    assert.equal(done.id, id);
    assert.deepEqual([done.result.rows, done.result.stored, done.result.refused], [ROWS, ROWS, 0]);
    await page.goto(`/w/demo/imports/${id}`);
    await page.getByRole('button', { name: 'Undo the import' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Undo the import' }).click();
    await page.getByText('4,000 feedback deleted').waitFor({ timeout: 60_000 });
  },
};
