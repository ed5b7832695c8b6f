import { textOf } from './text';

/** Sends an operation past the client and its cache; fails where nobody answers with JSON. */
export async function post<Data>(
  document: Parameters<typeof textOf>[0],
  variables: Record<string, unknown> = {},
): Promise<{ data?: Data | null }> {
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body: JSON.stringify(textOf(document, variables)),
  });
  return (await response.json()) as { data?: Data | null };
}
