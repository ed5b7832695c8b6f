import { createHmac, randomUUID } from 'node:crypto';
import { insisted } from './processes.mjs';
import { ask } from './signing_in.mjs';

const CREATE = `mutation($input: CreateSourceInput!) { createSource(input: $input) {
  ... on CreateSourceSuccess { source { id ingestUrl } signingSecret } ... on Problem { message } } }`;
const AT_ONCE = 8;
const STORED = [200, 202];

/** A source of the demo's that takes what is signed as Standard Webhooks says. */
export async function newHook(page, name) {
  const { workspace } = await ask(page, '{ workspace(slug: "demo") { id } }');
  const { createSource } = await ask(page, CREATE, { input: { workspaceId: workspace.id, name } });
  const { source, signingSecret } = createSource;
  return { id: source.id, url: source.ingestUrl, key: Buffer.from(signingSecret.replace('whsec_', ''), 'base64') };
}

/** Delivers feedback as services do: several at once, each with an id that stays, again and again until it is taken. */
export async function deliver(hook, bodies, onDelivered) {
  const left = [...bodies];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left.length) {
        await delivered(hook, left.shift());
        await onDelivered?.();
      }
    }),
  );
}

async function delivered({ url, key }, text) {
  const id = `msg_${randomUUID()}`;
  await insisted(async () => {
    const now = new Date();
    const body = JSON.stringify({
      type: 'feedback.created',
      timestamp: now.toISOString(),
      data: { external_id: id, body: text, rating: 7 },
    });
    const timestamp = String(Math.floor(now.getTime() / 1_000));
    const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
    const headers = {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${signature}`,
    };
    const { status } = await fetch(url, { method: 'POST', headers, body });
    if (!STORED.includes(status)) throw new Error(`The hook has answered ${status}`);
  });
}
