import { Client, createRequest, type Exchange, makeErrorResult, makeResult, type OperationResult } from '@urql/core';
import { expect, test, vi } from 'vitest';
import { filter, map, pipe, subscribe } from 'wonka';
import { keptExchange } from './kept';

const QUESTION = '{ name }';

/** A client whose server gives these answers, one after the other; undefined where it cannot be reached. */
function clientOf(answers: ({ name: string } | undefined)[]) {
  const left = [...answers];
  const server: Exchange = () => (operations) =>
    pipe(
      operations,
      filter(({ kind }) => kind === 'query'),
      map((operation) => {
        const data = left.shift();
        return data ? makeResult(operation, { data }) : makeErrorResult(operation, new Error('away'));
      }),
    );
  return new Client({ url: '/graphql', preferGetMethod: false, exchanges: [keptExchange, server] });
}

/** Listens until there are so many answers. */
async function listening(client: Client, seen: OperationResult[], many: number) {
  const request = client.createRequestOperation('query', createRequest(QUESTION, {}), {
    requestPolicy: 'network-only',
  });
  const { unsubscribe } = pipe(
    client.executeRequestOperation(request),
    subscribe((result) => seen.push(result)),
  );
  await vi.waitUntil(() => seen.length === many);
  unsubscribe();
}

test('what was answered stays when the next time fails, with the error', async () => {
  const client = clientOf([{ name: 'Ada' }, undefined, { name: 'Grace' }]);
  const seen: OperationResult[] = [];
  // As useQuery asks anew: it leaves, and is back at once.
  for (const many of [1, 2, 3]) await listening(client, seen, many);

  expect(seen.map(({ data }) => data)).toEqual([{ name: 'Ada' }, { name: 'Ada' }, { name: 'Grace' }]);
  expect(seen.map(({ error }) => error?.networkError?.message)).toEqual([undefined, 'away', undefined]);
});

test('who leaves for good takes it along', async () => {
  vi.useFakeTimers();
  const client = clientOf([{ name: 'Ada' }, undefined]);
  await client.query(QUESTION, {}).toPromise();
  vi.runAllTimers();
  vi.useRealTimers();
  const { data, error } = await client.query(QUESTION, {}).toPromise();

  expect(data).toBeUndefined();
  expect(error?.networkError?.message).toBe('away');
});
