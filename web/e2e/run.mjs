// Tries the dashboard in Chromium: node run.mjs BASE CHROMIUM DATA_DIR [WORDS]. Ends with 1 when something is not as it should be.
// DATA_DIR is the server's, whose processes some tests kill; WORDS choose the tests in whose names, or whose files', they are.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { launched } from './browser.mjs';

const [base, executablePath, data, words = ''] = process.argv.slice(2);

const browser = await launched(executablePath);
let failed = false;
for (const file of (await readdir(import.meta.dirname)).filter((name) => name.endsWith('.e2e.mjs')).sort()) {
  const { tests } = await import(`./${file}`);
  for (const [name, test] of Object.entries(tests).filter(([each]) => `${file} ${each}`.includes(words))) {
    const context = await browser.newContext({ baseURL: base, locale: 'en-GB', timezoneId: 'Europe/Berlin' });
    context.setDefaultTimeout(20_000);
    const page = await context.newPage();
    const complaints = [];
    page.on('pageerror', (error) => complaints.push(error.stack ?? error.message));
    // A policy that refuses something says so there.
    page.on(
      'console',
      (message) => message.text().includes('Content Security Policy') && complaints.push(message.text()),
    );
    // Other hosts are asked only where a test says so: files go to and come from the store of objects.
    const elsewhere = new Set();
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(base) && !elsewhere.has(new URL(url).origin)) complaints.push(`asks ${url}`);
    });
    try {
      await test({ page, context, base, data, allow: (url) => elsewhere.add(new URL(url).origin) });
      assert.deepEqual(complaints, []);
      console.log(`ok    ${name}`);
    } catch (error) {
      failed = true;
      console.log(`FAIL  ${name}\n${error.stack}`);
    }
    await context.close();
  }
}
await browser.close();
process.exitCode = failed ? 1 : 0;
