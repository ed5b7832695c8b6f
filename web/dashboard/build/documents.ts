import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { getOperationAST, parse } from 'graphql';
import type { Plugin } from 'vite';

const CALL = /\bgraphql\(\s*(?:\/\* GraphQL \*\/\s*)?`([\s\S]*?)`,?\s*\)/g;
const IMPORT = /import \{ graphql \} from '[^']*\/gql';/;
const NAME = /(query|mutation|subscription|fragment)\s+(\w+)/;
const ROOT = path.join(import.meta.dirname, '..');

/**
 * Puts in place of each `graphql(...)` the text that the manifest has, with its id, so that a page brings its own
 * operations and no others.
 */
export function documents(): Plugin {
  let known = new Map<string, { id: string; text: string }>();
  async function read() {
    const file = await readFile(path.join(ROOT, 'src/gql/persisted-documents.json'), 'utf8');
    const manifest = JSON.parse(file) as Record<string, string>;
    known = new Map(
      Object.entries(manifest).map(([id, text]) => [operation(text), { id: id.replace('sha256:', ''), text }]),
    );
  }
  return {
    name: 'documents',
    enforce: 'pre',
    buildStart: read,
    transform(code, id) {
      if (!IMPORT.test(code) || id.includes('/src/gql/')) {
        return null;
      }
      const replaced = code
        .replace(IMPORT, `import { trusted } from '${path.join(ROOT, 'src/graph/trusted.ts')}';`)
        .replace(CALL, (call: string, text: string) => {
          const [, kind, name = ''] = NAME.exec(text) ?? [];
          const lines = '\n'.repeat(call.split('\n').length - 1);
          if (kind === 'fragment') {
            return `undefined${lines}`;
          }
          const document = known.get(name);
          if (!document) {
            throw new Error(`${id}: the manifest does not have ${name}; run npm run codegen`);
          }
          return `trusted(${JSON.stringify(document.id)}, ${JSON.stringify(name)}, ${JSON.stringify(document.text)})${lines}`;
        });
      return { code: replaced, map: null };
    },
  };
}

function operation(text: string): string {
  const name = getOperationAST(parse(text))?.name?.value;
  if (!name) {
    throw new Error(`An operation has no name: ${text.slice(0, 80)}`);
  }
  return name;
}
