import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** The process that has that part of `make run` now: api, worker or relay. */
export async function processOf(data, part) {
  return JSON.parse(await readFile(path.join(data, 'run', `${part}.json`), 'utf8')).pid;
}

/** Kills it; the supervisor starts another. */
export async function kill(data, part) {
  process.kill(await processOf(data, part), 'SIGKILL');
}

/** Asks until there is an answer: while the server is away there is none. */
export async function insisted(work, seconds = 120) {
  const end = Date.now() + seconds * 1_000;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((done) => setTimeout(done, 500));
    }
  }
}

/** Looks again and again until it is so; answers what was seen then. */
export async function until(look, isSo, seconds = 120) {
  const end = Date.now() + seconds * 1_000;
  for (;;) {
    const seen = await look();
    if (isSo(seen)) return seen;
    if (Date.now() > end) throw new Error(`It has not come to it; last seen: ${JSON.stringify(seen)}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
