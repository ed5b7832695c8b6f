import { expect, test } from 'vitest';
import { send, typeOf } from './sending';

const FILE = new Blob(['abcdefghij']);
/** jsdom's Blob has no text(). */
const textOf = (blob: Blob) =>
  new Promise((read) => {
    const reader = new FileReader();
    reader.onload = () => read(reader.result);
    reader.readAsText(blob);
  });
const part = (offset: number, size: number) => ({ offset, size, url: `/${offset}`, headers: [] });
const LARGE = { url: '/', headers: [], parts: [part(0, 4), part(4, 4), part(8, 2)] };

test('a large file goes in its parts, and its share is that of all', async () => {
  const sent: Record<string, unknown> = {};
  const shares: number[] = [];

  await send(LARGE, FILE, { onProgress: (share) => shares.push(share) }, async ({ url }, body, onSent) => {
    sent[url] = await textOf(body);
    onSent(body.size);
    return 200;
  });

  expect(sent).toEqual({ '/0': 'abcd', '/4': 'efgh', '/8': 'ij' });
  expect(shares.at(-1)).toBe(1);
});

test('what did not arrive is sent again', async () => {
  const statuses = [0, 503, 200];
  const asked: unknown[] = [];

  const by = async (_: unknown, body: Blob) => {
    asked.push(await textOf(body));
    return statuses[asked.length - 1] ?? 200;
  };
  await send({ ...LARGE, parts: [part(4, 4)] }, FILE, {}, by, 0);

  expect(asked).toEqual(['efgh', 'efgh', 'efgh']);
});

test('what had arrived before its answer was lost is there', async () => {
  await expect(send({ url: '/', headers: [], parts: null }, FILE, {}, async () => 412)).resolves.toBeUndefined();
});

test('what the bucket refuses is not sent again', async () => {
  let asked = 0;
  const refused = send({ url: '/', headers: [], parts: null }, FILE, {}, async () => {
    asked += 1;
    return 403;
  });

  await expect(refused).rejects.toThrow('The bucket answers 403');
  expect(asked).toBe(1);
});

test.each([
  [{ name: 'reviews.CSV', type: 'application/vnd.ms-excel' }, 'text/csv'],
  [{ name: 'reviews.ndjson', type: '' }, 'application/x-ndjson'],
  [{ name: 'screen.png', type: 'image/png' }, 'image/png'],
  [{ name: 'unknown', type: '' }, 'application/octet-stream'],
])('%o is %s', (file, type) => {
  expect(typeOf(file)).toBe(type);
});
