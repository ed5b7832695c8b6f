import { textOf } from './text';

type Document = Parameters<typeof textOf>[0];
type Variables = Record<string, unknown>;

/** Sends an operation past the client and its cache; fails where nobody answers with JSON. */
export async function post<Data>(document: Document, variables: Variables = {}): Promise<{ data?: Data | null }> {
  return (await (await send(document, variables)).json()) as { data?: Data | null };
}

export const send = (document: Document, variables: Variables) =>
  fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body: JSON.stringify(textOf(document, variables)),
  });
