import path from 'node:path';
import type { Plugin } from 'vite';

const BEGIN = path.join(import.meta.dirname, '../src/begin.ts');

/** Of what so many pages need, each would be a file to wait for. */
const COMMON = { name: 'common', test: /[\\/]src[\\/](app|graph|ui)[\\/][^\\/]+$/, minShareCount: 6 };

/** Makes src/begin.ts, with what it needs, a script of its own: it runs while the rest is still being loaded. */
export function begin(): Plugin {
  const groups = [{ name: 'begin', test: isBegin, priority: 1 }, COMMON];
  return {
    name: 'begin',
    config: () => ({ build: { rolldownOptions: { output: { codeSplitting: { groups } } } } }),
    transformIndexHtml: {
      order: 'post',
      handler(_, { bundle }) {
        const chunk = Object.values(bundle ?? {}).find((each) => 'moduleIds' in each && each.moduleIds.some(isBegin));
        if (!chunk) return [];
        const src = `/${chunk.fileName}`;
        return [{ tag: 'script', attrs: { type: 'module', async: true, crossorigin: true, src }, injectTo: 'head' }];
      },
    },
  };
}

const isBegin = (id: string) => path.normalize(id) === BEGIN;
