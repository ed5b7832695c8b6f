import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Plugin } from 'vite';

const ROOT = path.join(import.meta.dirname, '..');
const COMPRESSIBLE = /\.(js|css|html|svg|json|webmanifest)$/;

/** Writes what the server needs beside the files: each compressed, the paths of the pages, and the documents it may trust. */
export function served(): Plugin {
  return {
    name: 'served',
    apply: 'build',
    async writeBundle({ dir = 'dist' }) {
      const files = await readdir(dir, { recursive: true });
      for (const file of files.filter((name) => COMPRESSIBLE.test(name))) {
        const bytes = await readFile(path.join(dir, file));
        const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
        await writeFile(path.join(dir, `${file}.br`), await promisify(brotliCompress)(bytes, { params }));
        await writeFile(path.join(dir, `${file}.gz`), await promisify(gzip)(bytes, { level: 9 }));
      }
      const manifest = await readFile(path.join(ROOT, 'src/gql/persisted-documents.json'), 'utf8');
      const server = { paths: await pagePaths(), documents: JSON.parse(manifest) as unknown };
      await writeFile(path.join(dir, 'server.json'), JSON.stringify(server));
    },
  };
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
