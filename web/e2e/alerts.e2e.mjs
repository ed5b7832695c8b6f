import assert from 'node:assert/strict';
import { ask, signIn, submit } from './signing_in.mjs';

/** Goes to the form for a new rule, and fills in what every kind has. */
async function newRule(page, name) {
  await page.goto('/w/demo/alerts');
  await page.getByRole('button', { name: 'New rule' }).click();
  await page.getByLabel('Name', { exact: true }).fill(name);
}

const raised = (page) => page.getByRole('list', { name: 'What was noticed' }).getByRole('listitem');

export const tests = {
  async 'a rule is tried over the past, made, changed, paused and deleted'({ page }) {
    await signIn(page);
    const name = `Angry ${Date.now()}`;
    await newRule(page, name);
    await page.getByLabel('What it looks at').selectOption('SHARE');
    await page.getByLabel('Threshold, in percent').fill('40');
    await page.getByLabel('Window in minutes').fill('1440');
    await page.getByRole('button', { name: 'Try it over the past' }).click();
    await page.getByText(/It would have fired \d+ times? in 30 days\./).waitFor();
    const { workspace } = await ask(page, '{ workspace(slug: "demo") { id } }');
    const rule = { kind: 'SHARE', shareOf: ['NEGATIVE'], threshold: 40, windowMinutes: 1440, minimumSample: 20 };
    const { previewAlertRule } = await ask(
      page,
      `mutation($input: PreviewAlertRuleInput!) { previewAlertRule(input: $input) {
        ... on PreviewAlertRuleSuccess { firings { firedAt } } } }`,
      { input: { workspaceId: workspace.id, rule } },
    );
    const rows = page.locator('details', { hasText: 'When it would have fired' }).locator('tbody tr');
    assert.equal(await rows.count(), previewAlertRule.firings.length);

    await page.getByRole('button', { name: 'Make the rule' }).click();
    await page.getByRole('heading', { level: 1, name }).waitFor();
    await page.getByText('at least 40 % of what was scored within 1 day is negative').first().waitFor();
    await page.getByRole('button', { name: 'Change' }).click();
    await page.getByLabel('Threshold, in percent').fill('45');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('at least 45 % of what was scored').first().waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('paused', { exact: true }).waitFor();

    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.waitForURL('**/w/demo/alerts');
    await page.getByText('The rule is gone.').waitFor();
    await page.getByRole('rowheader', { name }).waitFor({ state: 'detached' });
  },

  async 'an alert is on screen as it fires, with what it is about'({ page }) {
    await signIn(page);
    const word = `lynx${Date.now()}`;
    await newRule(page, `About ${word}`);
    await page.getByLabel('What it looks at').selectOption('MATCH');
    await page.getByLabel('Words in the text').fill(word);
    await page.getByRole('button', { name: 'Make the rule' }).click();
    await page.getByText('Nothing was noticed').waitFor();
    const body = `The ${word} is at the door.`;
    await submit(page, body);

    await raised(page).filter({ hasText: 'fires' }).waitFor({ timeout: 60_000 });
    await page.getByRole('link', { name: `About ${word}` }).click();
    await page.getByRole('link', { name: body }).waitFor();
    await page.getByText('each message that fits').waitFor();
    await page.getByRole('rowheader', { name: 'demo@earful.example' }).waitFor();
  },

  async 'what the server objects to is said beside the field'({ page }) {
    await signIn(page);
    await newRule(page, 'Of nothing');
    await page.getByLabel('Threshold, in messages').fill('0');
    await page.getByRole('button', { name: 'Make the rule' }).click();

    await page.getByText('must be more than 0').waitFor();
    assert.equal(await page.getByLabel('Threshold, in messages').getAttribute('aria-invalid'), 'true');
    await page.getByLabel('What it looks at').selectOption('MATCH');
    await page.getByRole('button', { name: 'Make the rule' }).click();
    await page.getByText('must have a condition for MATCH').first().waitFor();
  },

  async 'a viewer reads alerts and rules, and is offered nothing to change'({ page }) {
    await signIn(page, 'viewer@earful.example');
    await page.goto('/w/demo/alerts');
    await page.getByRole('heading', { name: 'Rules' }).waitFor();

    assert.equal(await page.getByRole('button', { name: 'New rule' }).count(), 0);
  },
};
