// Builds dist/: the page, its script and style, and the licenses of what is inside them.
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

/** GraphiQL embeds some 350 KB of fonts; src/style.css names the system's instead. */
const withoutFonts = {
  name: 'without-fonts',
  setup({ onLoad }) {
    onLoad({ filter: /graphiql\/dist\/style\.css$/ }, async ({ path: file }) => ({
      contents: (await readFile(file, 'utf8')).replace(/@font-face\s*{[^}]*}/g, ''),
      loader: 'css',
    }));
  },
};

/** GraphiQL fetches an image when the pointer rests on its URL. Feedback is written by strangers: no. */
const withoutImagePreview = {
  name: 'without-image-preview',
  setup({ onLoad }) {
    onLoad({ filter: /@graphiql\/react\/dist\/editor\/components\/image-preview\.js$/ }, () => ({
      contents: 'export const ImagePreview = Object.assign(() => null, { shouldRender: () => false });',
    }));
  },
};

process.chdir(import.meta.dirname);

/** For the packages that name the license and leave its text out. */
const MIT = await readFile('src/mit.txt', 'utf8');

await rm('dist', { recursive: true, force: true });
await mkdir('dist');
const { metafile } = await build({
  entryPoints: ['src/main.tsx'],
  outdir: 'dist',
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2022',
  jsx: 'automatic',
  charset: 'utf8',
  legalComments: 'none',
  loader: { '.graphql': 'text' },
  define: { 'process.env.NODE_ENV': '"production"' },
  plugins: [withoutFonts, withoutImagePreview],
  metafile: true,
});
await cp('src/favicon.svg', 'dist/favicon.svg');
await writeFile('dist/index.html', await withVersions(await readFile('src/index.html', 'utf8')));
await writeFile('dist/LICENSES.txt', await licenses(metafile));

/** A file's address carries its hash, so that a browser may keep it for as long as it likes. */
async function withVersions(html) {
  for (const file of ['main.js', 'main.css', 'favicon.svg']) {
    const hash = createHash('sha256').update(await readFile(`dist/${file}`));
    html = html.replace(`/graphiql/${file}`, `/graphiql/${file}?v=${hash.digest('hex').slice(0, 12)}`);
  }
  return html;
}

async function licenses({ outputs }) {
  const folders = new Set();
  for (const output of Object.values(outputs)) {
    for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) {
      const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0];
      if (folder && bytesInOutput > 0) {
        folders.add(folder);
      }
    }
  }
  const packages = new Map();
  for (const folder of [...folders].sort()) {
    const { title, text } = await notice(folder);
    packages.set(text, [...(packages.get(text) ?? []), title]);
  }
  const sections = [...packages].map(([text, titles]) => `${titles.join('\n')}\n\n${text}\n`);
  return ['The files of the playground hold code of these packages.\n', ...sections].join(`\n${'-'.repeat(80)}\n\n`);
}

async function notice(folder) {
  const { name, version, license, author } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'));
  const files = (await readdir(folder)).filter((file) => /^(licen[sc]e|notice|copying)/i.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(path.join(folder, file), 'utf8')));
  if (!texts.length) {
    if (license !== 'MIT') {
      throw new Error(`${name} comes without the text of its license, ${license}`);
    }
    texts.push(`Copyright (c) ${author?.name ?? author ?? `the authors of ${name}`}\n\n${MIT}`);
  }
  const text = texts.map((part) => part.replace(/\r/g, '').trim()).join('\n\n');
  return { title: `${name} ${version} (${license})`, text };
}
