export const SUBMIT = `mutation($input: SubmitFeedbackInput!) {
  submitFeedback(input: $input) { ... on SubmitFeedbackSuccess { feedback { id } } ... on Problem { message } } }`;

/** Signs in by the form: as somebody of the demo, unless others are named. */
export async function signIn(page, email = 'demo@earful.example', password = 'earful-demo-password') {
  await page.goto('/login');
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL('**/w/*');
}

/** Asks the API as the page would. */
export function ask(page, query, variables = {}) {
  return page.evaluate(
    async (body) => {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch('/graphql', { method: 'POST', headers, body: JSON.stringify(body) });
      return (await answer.json()).data;
    },
    { query, variables },
  );
}

/** Submits feedback to the demo's workspace. */
export async function submit(page, body) {
  const { workspace } = await ask(page, '{ workspace(slug: "demo") { id } }');
  const { submitFeedback } = await ask(page, SUBMIT, { input: { workspaceId: workspace.id, body } });
  if (!submitFeedback.feedback) throw new Error(JSON.stringify(submitFeedback));
  return submitFeedback.feedback.id;
}
