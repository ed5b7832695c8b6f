import assert from 'node:assert/strict';
import { deliver, newHook } from './hook.mjs';
import { signIn } from './signing_in.mjs';

const chart = (page) => page.getByRole('group', { name: /^Drag over bars/ });
const span = (page) => {
  const given = new URL(page.url()).searchParams;
  return (Date.parse(given.get('to')) - Date.parse(given.get('from'))) / 86_400_000 + 1;
};

export const tests = {
  async 'what is dragged over is what is shown, is in the address, and is left by going back'({ page }) {
    await signIn(page);
    await chart(page).waitFor();
    await chart(page).scrollIntoViewIfNeeded();
    const { x, y, width, height } = await chart(page).boundingBox();
    await page.mouse.move(x + width * 0.51, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + width * 0.6, y + height / 2, { steps: 4 });
    await page.mouse.move(x + width * 0.742, y + height / 2, { steps: 4 });
    await page.mouse.up();
    await page.waitForURL('**/w/demo?from=*&to=*');
    assert.equal(span(page), 8);
    await page.getByText('The chosen period').waitFor();
    await page.reload();
    await page.getByText('The chosen period').waitFor();

    await page.goBack();
    await page.getByText('The last 30 days').waitFor();
  },

  async 'keys choose a part of the chart, too'({ page }) {
    await signIn(page);
    await page.getByRole('button', { name: '7 days' }).click();
    await page.waitForURL('**/w/demo?days=7');
    await page.getByText('The last 7 days').waitFor();
    await chart(page).focus();
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Shift+ArrowLeft');
    await page.keyboard.press('Shift+ArrowLeft');
    await page.getByRole('button', { name: /^Zoom in:/ }).waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL('**/w/demo?from=*&to=*');

    assert.equal(span(page), 3);
  },

  async 'what is asked while the page is being loaded is asked once, and not for who comes next'({ page }) {
    await signIn(page);
    await page.locator('[data-light=live]').waitFor();
    const asked = [];
    page.on('request', (request) => {
      const hash = request.postDataJSON()?.extensions?.persistedQuery?.sha256Hash;
      if (hash) asked.push(hash);
    });
    await page.goto('/w/demo');
    await page.getByText('The last 30 days').waitFor();
    await page.locator('[data-light=live]').waitFor();
    // Who is there, and the overview.
    const times = asked.slice(0, 2).map((early) => asked.filter((hash) => hash === early).length);
    assert.deepEqual(times, [1, 1]);

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL('**/login*');
    await page.goto('/w/other');
    await page.getByLabel('E-mail').fill('other@earful.example');
    await page.getByLabel('Password').fill('earful-demo-password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('The last 30 days').waitFor();
    await page.getByRole('heading', { level: 1 }).waitFor();
    assert.match(page.url(), /\/w\/other$/);
  },

  async 'all sources are there, however many'({ page }) {
    await signIn(page);
    const name = `Stall ${Date.now()}`;
    for (let number = 1; number <= 9; number += 1) await newHook(page, `${name} ${number}`);
    await page.reload();
    const bySource = page.getByRole('region', { name: 'By source' });
    await bySource.getByRole('button', { name: /^Show all/ }).click();

    await bySource.getByText(`${name} 9`).waitFor();
    assert.equal(await bySource.getByRole('button').count(), 0);
  },

  async 'what each source has follows what comes'({ page }) {
    await signIn(page);
    const name = `Booth ${Date.now()}`;
    const hook = await newHook(page, name);
    await page.reload();
    const bySource = page.getByRole('region', { name: 'By source' });
    await bySource.scrollIntoViewIfNeeded();
    const all = bySource.getByRole('button', { name: /^Show all/ });
    if (await all.count()) await all.click();
    const group = bySource.getByRole('listitem').filter({ hasText: name });
    await group.getByText('0', { exact: true }).waitFor();

    await deliver(hook, ['It fits.', 'It does not.', 'It broke.']);

    await group.getByText('3', { exact: true }).waitFor();
  },

  async 'who goes to a page begins at its top, and who goes back is where they were'({ page }) {
    await page.setViewportSize({ width: 1280, height: 600 });
    await signIn(page);
    await page.getByRole('heading', { name: 'Newest' }).scrollIntoViewIfNeeded();
    await page.getByRole('link', { name: 'Inbox', exact: true }).click();
    await page.locator('[data-row]').first().waitFor();
    assert.equal(await page.evaluate(() => scrollY), 0);

    await page.evaluate(() => scrollTo(0, 700));
    await page.getByRole('link', { name: 'Overview' }).click();
    await page.getByText('The last 30 days').waitFor();
    assert.equal(await page.evaluate(() => scrollY), 0);
    await page.goBack();
    await page.waitForFunction(() => scrollY > 0);
  },

  async 'who comes back to the inbox finds it as it was left'({ page }) {
    await signIn(page);
    await page.goto('/w/demo/inbox?sentiments=NEGATIVE');
    await page.locator('[data-row]').first().click();
    await page.getByRole('heading', { name: 'History' }).waitFor();
    await page.getByRole('main').getByRole('link', { name: 'Inbox' }).first().click();
    await page.waitForURL('**/inbox?sentiments=NEGATIVE');
    await page.getByRole('link', { name: 'Overview' }).click();
    await page.getByRole('link', { name: 'Inbox' }).click();
    await page.waitForURL('**/inbox?sentiments=NEGATIVE');

    await page.getByRole('link', { name: 'Inbox' }).click();
    await page.waitForURL('**/inbox');
  },
};
