import { stringifyVariables } from '@urql/core';
import { send } from './post';
import { nameOf } from './wire';

/** What is on its way for who will ask the same: once, and by the same reader. */
const begun = new Map<string, Promise<Response>>();

const keyOf = (name: string | undefined, variables: Record<string, unknown>) =>
  `${name} ${stringifyVariables(variables)}`;

/** Asks before there is a client to ask: while the rest of the page is still being loaded. */
export function askEarly(document: Parameters<typeof send>[0], variables: Record<string, unknown> = {}) {
  const answer = send(document, variables);
  // Who asks hears of it.
  answer.catch(() => {});
  begun.set(keyOf(nameOf(document), variables), answer);
}

/** What is to arrive even if the page goes away before it is answered. */
const PARTING = 'SignOut';

/** Like `fetch`, for a client: what was asked for early is not asked for again. */
export const fetched: typeof fetch = (to, options) => {
  const { operationName, variables } = JSON.parse(String(options?.body)) as Asked;
  const key = keyOf(operationName, variables ?? {});
  const early = begun.get(key);
  begun.delete(key);
  return early ?? fetch(to, { ...options, keepalive: operationName === PARTING });
};

interface Asked {
  operationName: string;
  variables?: Record<string, unknown>;
}

/** Somebody else may be asking from now on. */
export const forgetEarly = () => begun.clear();
