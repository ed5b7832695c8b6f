// Fails when the script and style that the first page needs are more than they may be.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

const LIMIT = 200_000;
const dist = path.join(import.meta.dirname, '../dist');
const manifest = JSON.parse(await readFile(path.join(dist, '.vite/manifest.json'), 'utf8'));

/** What a chunk needs before it runs, itself included. */
function needed(key, seen = new Set()) {
  if (!seen.has(key)) {
    seen.add(key);
    for (const other of manifest[key].imports ?? []) needed(other, seen);
  }
  return seen;
}

const weigh = async (keys) => {
  const sizes = await Promise.all(
    [...keys].map(async (key) => gzipSync(await readFile(path.join(dist, manifest[key].file)), { level: 9 }).length),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
};

const first = needed('index.html');
const pages = Object.keys(manifest).filter((key) => /^src\/pages\/.*\.tsx$/.test(key));
let largest = 0;
for (const page of pages) {
  const size = await weigh(needed(page, new Set(first)));
  largest = Math.max(largest, size);
  console.log(`${String(size).padStart(8)} bytes  ${page}`);
}
console.log(`${String(await weigh(first)).padStart(8)} bytes  before any page, of ${LIMIT} (gzip)`);
if (largest > LIMIT || (await weigh(first)) > LIMIT) {
  console.error('The first load is too large.');
  process.exitCode = 1;
}
