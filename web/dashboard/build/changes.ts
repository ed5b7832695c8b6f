import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { buildSchema, isEnumType, isInputObjectType, isInterfaceType, isObjectType } from 'graphql';
import type { Plugin } from 'vite';

const ROOT = path.join(import.meta.dirname, '../../..');
const NAME = 'virtual:schema-changes';

export interface Change {
  /** As in CHANGELOG.md: words in English, with what is code between backticks. */
  text: string;
  isBreaking: boolean;
}

export interface Release {
  version: string;
  changes: Change[];
}

/** A module with what CHANGELOG.md says of the schema: the entries that break something, or name what is in it. */
export function changes(): Plugin {
  return {
    name: 'changes',
    resolveId: (id) => (id === NAME ? `\0${NAME}` : null),
    async load(id) {
      if (id !== `\0${NAME}`) return null;
      const files = ['CHANGELOG.md', 'schema.graphql'].map((name) => readFile(path.join(ROOT, name), 'utf8'));
      const [log = '', schema = ''] = await Promise.all(files);
      return `export default ${JSON.stringify(releases(log, names(schema)))};`;
    },
  };
}

export function releases(log: string, known: ReadonlySet<string>): Release[] {
  return log
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [version = '', ...lines] = section.split('\n');
      const entries = lines.join('\n').split(/^- /m).slice(1);
      const found = entries.map(entry).filter(({ text, isBreaking }) => isBreaking || isAbout(text, known));
      return { version: version.trim(), changes: found };
    })
    .filter((release) => release.changes.length > 0);
}

function entry(text: string): Change {
  const flat = text.replace(/\s+/g, ' ').trim();
  const bare = flat.replace(/\*\*Breaking:?\*\*:?\s*/, '').replace(/\[([^\]]+)\]\([^)]*\)/g, '$1');
  return { text: bare, isBreaking: bare.length < flat.length && flat.includes('**Breaking') };
}

/** Whether any of its code is made of names of the schema: `createUpload`, `User.avatarUrl`, `node(id:)`. */
function isAbout(text: string, known: ReadonlySet<string>): boolean {
  return [...text.matchAll(/`([^`]+)`/g)].some(([, code = '']) =>
    known.has(code.replace(/^Mutation\.|^Query\.|^Subscription\./, '').replace(/\(.*/, '')),
  );
}

/** Types, directives, and fields, both alone and behind their types. */
function names(text: string): Set<string> {
  const schema = buildSchema(text);
  const found = new Set(schema.getDirectives().map(({ name }) => `@${name}`));
  for (const type of Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__'))) {
    found.add(type.name);
    if (isObjectType(type) || isInterfaceType(type) || isInputObjectType(type)) {
      for (const field of Object.keys(type.getFields())) found.add(field).add(`${type.name}.${field}`);
    } else if (isEnumType(type)) {
      for (const { name } of type.getValues()) found.add(name);
    }
  }
  return found;
}
