// Watches pages while events pour in, and says how smoothly they were drawn: node rush.mjs BASE CHROMIUM [RATE] [SECONDS]
// BASE is a server with the demo and RATE_LIMIT_SCALE=100. Frames longer than 50 ms are what a reader takes for a jerk.
import { launched } from './browser.mjs';
import { ask, signIn } from './signing_in.mjs';

const [base, executablePath, ...given] = process.argv.slice(2);
const [rate = 200, seconds = 20] = given.map(Number);
const TICKS = 10;
const BATCH = `mutation($input: SubmitFeedbackBatchInput!) {
  submitFeedbackBatch(input: $input) { ... on SubmitFeedbackBatchSuccess { stored } ... on Problem { message } } }`;

const browser = await launched(executablePath);
const open = async () =>
  (await browser.newContext({ baseURL: base, locale: 'en-GB', viewport: { width: 1280, height: 900 } })).newPage();
const sender = await open();
await signIn(sender);
// A page without a feed takes no time from the one that is watched.
await sender.goto('/account');
const { workspace } = await ask(sender, '{ workspace(slug: "demo") { id } }');

for (const to of ['/w/demo', '/w/demo/inbox']) {
  const page = await open();
  await signIn(page);
  await page.goto(to);
  await page.locator('[data-light=live]').waitFor();
  await page.waitForTimeout(2_000);
  const still = await watched(page, () => page.waitForTimeout(5_000));
  let sent = 0;
  const rushed = await watched(page, async () => {
    const begun = Date.now();
    const waiting = [];
    for (let tick = 0; tick < seconds * TICKS; tick += 1) {
      await new Promise((done) => setTimeout(done, begun + (tick * 1_000) / TICKS - Date.now()));
      const items = Array.from({ length: rate / TICKS }, (_, number) => ({
        body: `Rush ${tick} ${number}: it is great, and late.`,
      }));
      waiting.push(ask(sender, BATCH, { input: { workspaceId: workspace.id, items } }));
    }
    for (const { submitFeedbackBatch } of await Promise.all(waiting)) sent += submitFeedbackBatch.stored ?? 0;
    await page.locator('[data-light=live]').waitFor();
  });
  console.log(`${to}: ${Math.round(sent / rushed.seconds)} events a second, ${sent} in all`);
  console.log(`  still   ${told(still)}`);
  console.log(`  rushed  ${told(rushed)}`);
  await page.context().close();
}
await browser.close();

/** What the page was drawn in while something went on. */
async function watched(page, work) {
  await page.evaluate(() => {
    globalThis.frames_ = [];
    globalThis.tasks_ = [];
    globalThis.watcher_ = new PerformanceObserver((list) =>
      globalThis.tasks_.push(...list.getEntries().map(({ duration }) => duration)),
    );
    globalThis.watcher_.observe({ type: 'longtask' });
    let last = performance.now();
    const frame = (now) => {
      globalThis.frames_.push(now - last);
      last = now;
      globalThis.next_ = requestAnimationFrame(frame);
    };
    globalThis.next_ = requestAnimationFrame(frame);
  });
  await work();
  return page.evaluate(() => {
    cancelAnimationFrame(globalThis.next_);
    globalThis.watcher_.disconnect();
    const [frames, tasks] = [[...globalThis.frames_].sort((one, other) => one - other), globalThis.tasks_];
    const at = (share) => frames[Math.min(frames.length - 1, Math.floor(frames.length * share))];
    const sum = (numbers) => numbers.reduce((one, other) => one + other, 0);
    return {
      seconds: sum(frames) / 1_000,
      rate: frames.length / (sum(frames) / 1_000),
      p50: at(0.5),
      p95: at(0.95),
      p99: at(0.99),
      most: frames.at(-1),
      jerks: frames.filter((each) => each > 50).length,
      tasks: tasks.length,
      blocked: sum(tasks),
    };
  });
}

function told({ rate, p50, p95, p99, most, jerks, tasks, blocked }) {
  const [a, b, c, d] = [p50, p95, p99, most].map((each) => each.toFixed(0));
  return `${rate.toFixed(0)} frames/s, ms: p50 ${a}, p95 ${b}, p99 ${c}, longest ${d}; ${jerks} over 50 ms; ${tasks} long tasks, ${blocked.toFixed(0)} ms`;
}
