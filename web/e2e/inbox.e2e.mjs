import assert from 'node:assert/strict';
import { ask, signIn, submit } from './signing_in.mjs';

const rows = (page) => page.getByRole('list', { name: 'Feedback' }).getByRole('listitem');

async function inbox(page, search = '') {
  await signIn(page);
  await page.goto(`/w/demo/inbox${search}`);
  await rows(page).first().waitFor();
}

export const tests = {
  async 'filters are in the address, and the list follows it'({ page }) {
    await inbox(page);
    await page.locator('summary', { hasText: 'Sentiment' }).click();
    await page.getByRole('checkbox', { name: 'Negative' }).check();
    await page.waitForURL('**/inbox?sentiments=NEGATIVE');
    await page.locator('article[data-label=NEGATIVE]').first().waitFor();
    assert.equal(await page.locator('article:not([data-label=NEGATIVE])').count(), 0);

    await page.reload();
    await page.locator('article[data-label=NEGATIVE]').first().waitFor();
    assert.equal(await page.locator('article:not([data-label=NEGATIVE])').count(), 0);
  },

  async 'words are found'({ page }) {
    await signIn(page);
    const word = `zebra${Date.now()}`;
    await submit(page, `The ${word} is late.`);
    await page.goto('/w/demo/inbox');
    await page.getByLabel('Search').fill(word);
    await page.waitForURL(`**/inbox?search=${word}`);

    await rows(page).filter({ hasText: word }).waitFor();
    assert.equal(await rows(page).count(), 1);
  },

  async 'a list of thousands goes on as one scrolls, and draws what is on screen'({ page }) {
    await inbox(page);
    const seen = new Set();
    for (let turn = 0; turn < 40 && seen.size < 120; turn += 1) {
      await page.mouse.wheel(0, 900);
      await page.waitForTimeout(120);
      for (const id of await page.locator('[data-row]').evaluateAll((all) => all.map((each) => each.dataset.row)))
        seen.add(id);
    }

    assert.ok(seen.size >= 120, `${seen.size} seen`);
    assert.ok((await rows(page).count()) < 60);
  },

  async 'what arrives waits until it is asked for'({ page }) {
    await inbox(page);
    await page.locator('[data-light=live]').waitFor();
    const first = await page.locator('[data-row]').first().getAttribute('data-row');
    const body = `Arrived now ${Date.now()}`;
    await submit(page, body);
    await page.getByRole('button', { name: 'Show 1 new' }).waitFor();
    assert.equal(await page.locator('[data-row]').first().getAttribute('data-row'), first);

    await page.getByRole('button', { name: 'Show 1 new' }).click();
    await rows(page).filter({ hasText: body }).waitFor();
    assert.equal(await rows(page).filter({ hasText: body }).count(), 1);
  },

  async 'several are chosen by keys and changed at once'({ page }) {
    await signIn(page);
    const word = `heron${Date.now()}`;
    const ids = [];
    for (const number of [1, 2, 3, 4]) ids.push(await submit(page, `${word} number ${number}`));
    await page.goto(`/w/demo/inbox?search=${word}`);
    await rows(page).nth(3).waitFor();
    await page.getByRole('heading', { level: 1 }).focus();
    await page.keyboard.press('Tab');
    await page.locator('[data-row]').first().focus();
    await page.keyboard.press('x');
    for (const _ of [1, 2]) await page.keyboard.press('j');
    await page.keyboard.press('Shift+X');
    await page.getByText('3 chosen').waitFor();

    await page.getByLabel('Set status').selectOption('In progress');
    await page.getByText('3 changed').waitFor();
    await page.getByLabel('Add tag').selectOption('Price');
    await page.getByLabel('Assign to').selectOption('Dana Demo');
    await rows(page).first().getByText('Assigned to Dana Demo').waitFor();

    const query =
      '{ workspace(slug: "demo") { feedback(first: 4, filter: { search: "WORD" }) { nodes { id status assignee { name } tags { name } } } } }';
    const { workspace } = await ask(page, query.replace('WORD', word));
    const changed = workspace.feedback.nodes.filter(({ status }) => status === 'IN_PROGRESS');
    assert.deepEqual(changed.map(({ id }) => id).sort(), ids.slice(1).sort());
    assert.ok(changed.every(({ assignee, tags }) => assignee.name === 'Dana Demo' && tags[0].name === 'Price'));
    await page.keyboard.press('Escape');
    await page.reload();
    await rows(page).nth(3).waitFor();
    const tagged = rows(page)
      .filter({ hasText: 'Price' })
      .filter({ hasText: 'In progress' })
      .filter({ hasText: 'Dana Demo' });
    assert.equal(await tagged.count(), 3);
  },

  async 'what was done to several is undone as each was'({ page }) {
    await signIn(page);
    const word = `ptarmigan${Date.now()}`;
    const ids = [];
    for (const number of [1, 2]) ids.push(await submit(page, `${word} number ${number}`));
    const { workspace } = await ask(
      page,
      '{ workspace(slug: "demo") { tags { id name } members { id user { name } } } }',
    );
    const price = workspace.tags.find(({ name }) => name === 'Price');
    const dana = workspace.members.find(({ user }) => user.name === 'Dana Demo');
    const ones = { ids: ids.slice(0, 1), addTagIds: [price.id], assigneeId: dana.id };
    await ask(page, 'mutation($input: UpdateFeedbackInput!) { updateFeedback(input: $input) { __typename } }', {
      input: ones,
    });
    await page.goto(`/w/demo/inbox?search=${word}`);
    await rows(page).nth(1).waitFor();
    for (const row of [0, 1]) await rows(page).nth(row).getByRole('checkbox').check();
    const triage = async () => {
      const query = `{ workspace(slug: "demo") { feedback(first: 2, filter: { search: "${word}" }) {
        nodes { id assignee { name } tags { name } } } } }`;
      const { nodes } = (await ask(page, query)).workspace.feedback;
      return Object.fromEntries(
        nodes.map(({ id, assignee, tags }) => [id, [assignee?.name, tags.map(({ name }) => name)]]),
      );
    };
    const [one, other] = ids;
    const before = await triage();
    assert.deepEqual(before, { [one]: ['Dana Demo', ['Price']], [other]: [undefined, []] });

    const doings = [
      ['Add tag', 'Price', { [one]: ['Dana Demo', ['Price']], [other]: [undefined, ['Price']] }],
      ['Remove tag', 'Price', { [one]: ['Dana Demo', []], [other]: [undefined, []] }],
      ['Assign to', 'Nobody', { [one]: [undefined, ['Price']], [other]: [undefined, []] }],
      ['Assign to', 'Dana Demo', { [one]: ['Dana Demo', ['Price']], [other]: ['Dana Demo', []] }],
    ];
    for (const [what, which, after] of doings) {
      await page.getByLabel(what).selectOption(which);
      await page.getByRole('button', { name: 'Undo' }).waitFor();
      assert.deepEqual(await triage(), after);
      await page.getByRole('button', { name: 'Undo' }).click();
      await page.getByText(/ as (it was|they were)$/).waitFor();
      assert.deepEqual(await triage(), before);
      await page.reload();
      await rows(page).nth(1).waitFor();
      for (const row of [0, 1]) await rows(page).nth(row).getByRole('checkbox').check();
    }
  },

  async 'a view is saved, looked at and deleted'({ page }) {
    const name = `View ${Date.now()}`;
    await inbox(page, '?sentiments=POSITIVE&least=4');
    await page.getByRole('button', { name: 'Save this view' }).click();
    await page.getByLabel('Name').fill(name);
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('link', { name }).waitFor();

    await page.goto('/w/demo/inbox');
    await page.getByRole('link', { name }).click();
    await page.waitForURL(/sentiments=POSITIVE/);
    await page.getByRole('button', { name: 'Delete this view' }).click();
    await page.getByRole('button', { name: 'Delete the view' }).click();
    await page.getByText('The view is deleted.').waitFor();
    await page.getByRole('link', { name }).waitFor({ state: 'detached' });
  },

  async 'a viewer reads, and is offered nothing to change'({ page }) {
    await signIn(page, 'viewer@earful.example');
    await page.goto('/w/demo/inbox');
    await rows(page).first().waitFor();
    assert.equal(await page.getByRole('checkbox', { name: /^Choose/ }).count(), 0);
    await page.locator('[data-row]').first().click();

    await page.getByRole('heading', { name: 'Work on it' }).waitFor();
    assert.equal(await page.getByLabel('Status').count(), 0);
    assert.equal(await page.getByLabel('A note for the others').count(), 0);
  },

  async 'a feedback has its sentences, and what is done with it'({ page }) {
    await signIn(page);
    const id = await submit(page, `I love the picture 🎉 a lot. The battery is terrible. ${Date.now()}`);
    await page.goto(`/w/demo/inbox/${id}`);
    await page.locator('mark[data-label=POSITIVE]', { hasText: 'picture 🎉' }).waitFor();
    await page.locator('mark[data-label=NEGATIVE]', { hasText: 'battery' }).waitFor();

    await page.getByLabel('Status').selectOption('Closed');
    await page.getByText('Status from Open to Closed').waitFor();
    await page.getByLabel('Add tag').selectOption('Battery');
    await page.getByRole('button', { name: 'Remove Battery' }).click();
    await page.getByText('removed Battery').waitFor();

    await page.getByLabel('A note for the others').fill('Called back.');
    await page.getByRole('button', { name: 'Add the note' }).click();
    await page.getByText('Called back.').waitFor();
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    await page.getByRole('dialog').getByLabel('A note for the others').fill('Called back twice.');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Called back twice.').waitFor();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('button', { name: 'Delete the note' }).click();
    await page.getByText('Nobody has written a note yet.').waitFor();
  },

  async 'a feedback that others change is changed here'({ page, context }) {
    await signIn(page);
    const id = await submit(page, `Watched ${Date.now()}`);
    await page.goto(`/w/demo/inbox/${id}`);
    await page.locator('[data-light=live]').waitFor();
    const other = await context.newPage();
    await other.goto('/workspaces');
    const close = 'mutation($id: ID!) { updateFeedback(input: { ids: [$id], status: CLOSED }) { __typename } }';
    await ask(other, close, { id });

    await page.getByText('Status from Open to Closed').waitFor();
    assert.equal(await page.getByLabel('Status').inputValue(), 'CLOSED');
  },
};
