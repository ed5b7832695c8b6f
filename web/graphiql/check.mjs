// Holds every operation of the playground against the schema: ours, or the file named as an argument.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { buildSchema, getOperationAST, getVariableValues, parse, validate } from 'graphql';

const here = import.meta.dirname;
const file = process.argv[2] ?? path.join(here, '../../schema.graphql');
const schema = buildSchema(await readFile(file, 'utf8'));

const { outputFiles } = await build({
  stdin: {
    contents: `
      export { examples } from './examples';
      import caller from './operations/caller.graphql';
      import refresh from './operations/refresh.graphql';
      import signOut from './operations/sign_out.graphql';
      export const own = [caller, refresh, signOut].map((query) => ({ query }));`,
    resolveDir: path.join(here, 'src'),
    loader: 'ts',
  },
  bundle: true,
  format: 'esm',
  loader: { '.graphql': 'text' },
  write: false,
});
const { examples, own } = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);

let failed = false;
for (const { query, variables = {} } of [...examples(new Date()), ...own]) {
  const document = parse(query);
  const operation = getOperationAST(document);
  const errors = [...validate(schema, document)];
  if (!errors.length) {
    errors.push(...(getVariableValues(schema, operation.variableDefinitions ?? [], variables).errors ?? []));
  }
  console.log(errors.length ? 'FAIL' : 'ok  ', operation.name.value);
  errors.forEach((error) => console.log(`     ${error.message}`));
  failed ||= errors.length > 0;
}
process.exitCode = failed ? 1 : 0;
