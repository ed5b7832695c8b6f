interface Given {
  key: string | undefined;
  query: string;
  variables: Record<string, unknown>;
}

/**
 * Opens GraphiQL with an operation, and with a key if there is one: both are told to that page alone, which keeps the key in
 * its memory. Answers what ends the readiness to tell it again, when it is loaded anew.
 */
export function openGraphiQL({ key, query, variables }: Given): () => void {
  const opened = window.open('/graphql#partner');
  function ready({ origin, source, data }: MessageEvent<unknown>) {
    if (origin === location.origin && source === opened && data === 'earful:ready') {
      const told = { authorization: key && `Bearer ${key}`, query, variables: JSON.stringify(variables, null, 2) };
      opened?.postMessage(told, location.origin);
    }
  }
  window.addEventListener('message', ready);
  return () => window.removeEventListener('message', ready);
}
