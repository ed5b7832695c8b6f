import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Plugin } from 'vite';

const ROOT = path.join(import.meta.dirname, '..');
const COMPRESSIBLE = /\.(js|css|html|svg|json|webmanifest)$/;
/** What the service worker keeps. */
const KEPT = /^(assets|icons)\/|\.webmanifest$/;

/**
 * Writes what the server needs beside the files: each compressed, the paths of the pages, and the documents it may
 * trust; and the service worker, which has to know them, too.
 */
export function served(): Plugin {
  return {
    name: 'served',
    apply: 'build',
    async writeBundle({ dir = 'dist' }) {
      const paths = await pagePaths();
      await writeFile(path.join(dir, 'sw.js'), await worker(dir, paths));
      const files = await readdir(dir, { recursive: true });
      for (const file of files.filter((name) => COMPRESSIBLE.test(name))) {
        const bytes = await readFile(path.join(dir, file));
        const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
        await writeFile(path.join(dir, `${file}.br`), await promisify(brotliCompress)(bytes, { params }));
        await writeFile(path.join(dir, `${file}.gz`), await promisify(gzip)(bytes, { level: 9 }));
      }
      const manifest = await readFile(path.join(ROOT, 'src/gql/persisted-documents.json'), 'utf8');
      const server = { paths, documents: JSON.parse(manifest) as unknown };
      await writeFile(path.join(dir, 'server.json'), JSON.stringify(server));
    },
  };
}

/** The service worker of these files: another one as soon as any of them is. */
async function worker(dir: string, paths: readonly string[]): Promise<string> {
  const text = await readFile(path.join(ROOT, 'build/worker.js'), 'utf8');
  const names = await readdir(dir, { recursive: true });
  const files = names
    .map((name) => name.replaceAll(path.sep, '/'))
    .filter((name) => KEPT.test(name) && /\.\w+$/.test(name));
  const hash = createHash('sha256').update(text).update(JSON.stringify(paths));
  for (const name of ['index.html', ...files.sort()]) hash.update(name).update(await readFile(path.join(dir, name)));
  const told = {
    FILES: ['/', ...files.map((name) => `/${name}`)],
    PAGES: paths.map((each) => each.replace(/:\w+/g, '[^/]+')),
    VERSION: hash.digest('hex').slice(0, 12),
  };
  const lines = Object.entries(told).map(([name, value]) => `const ${name} = ${JSON.stringify(value)};\n`);
  return `${lines.join('')}${text}`;
}

/** The patterns in all `route.ts`: the server answers these, and no others, with the page. */
async function pagePaths(): Promise<string[]> {
  const pages = path.join(ROOT, 'src/pages');
  const routes = (await readdir(pages, { recursive: true })).filter((name) => path.basename(name) === 'route.ts');
  const found = await Promise.all(
    routes.map(async (name) => {
      const text = await readFile(path.join(pages, name), 'utf8');
      const paths = [...text.matchAll(/path: '([^']+)'/g)].map(([, pattern]) => pattern as string);
      if (!paths.length) {
        throw new Error(`${name} names no path`);
      }
      return paths;
    }),
  );
  return found.flat().sort();
}
