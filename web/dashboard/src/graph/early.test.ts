import { afterEach, expect, test, vi } from 'vitest';
import { fetched } from './early';

afterEach(() => vi.unstubAllGlobals());

test.each([
  ['SignOut', true],
  ['Overview', false],
])('%s outlives its page: %s', async (operationName, keepalive) => {
  const asked = vi.fn(async () => new Response('{}'));
  vi.stubGlobal('fetch', asked);

  await fetched('/graphql', { method: 'POST', body: JSON.stringify({ operationName }) });

  expect(asked).toHaveBeenCalledWith('/graphql', expect.objectContaining({ method: 'POST', keepalive }));
});
