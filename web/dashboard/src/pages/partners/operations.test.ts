import { readFileSync } from 'node:fs';
import path from 'node:path';
import { buildSchema, getOperationAST, getVariableValues, parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { releases } from '../../../build/changes';
import { OPERATIONS } from './operations';

const SCHEMA = buildSchema(readFileSync(path.resolve('../../schema.graphql'), 'utf8'));
const GIVEN = { workspaceId: 'workspace_1', slug: 'demo', now: new Date('2026-11-23T12:00:00Z'), sample: 'Fine.' };

test.each(OPERATIONS)('$key is what the schema has', ({ query, variables }) => {
  const document = parse(query);
  const definitions = getOperationAST(document)?.variableDefinitions ?? [];

  expect(validate(SCHEMA, document)).toEqual([]);
  expect(getVariableValues(SCHEMA, definitions, variables(GIVEN)).errors).toBeUndefined();
});

test('of the changelog it is told what breaks, and what names something of the schema', () => {
  const log = `# Changelog

## 2.0

- **Breaking:** Cursors are other ones,
  see [docs](docs/live.md).
- Colours are warmer; \`PORT\` is there.
- \`User.avatarUrl\` and \`node(id:)\`.

## 1.0

- First light.
`;

  expect(releases(log, new Set(['node']))).toEqual([
    {
      version: '2.0',
      changes: [
        { text: 'Cursors are other ones, see docs.', isBreaking: true },
        { text: '`User.avatarUrl` and `node(id:)`.', isBreaking: false },
      ],
    },
  ]);
});
