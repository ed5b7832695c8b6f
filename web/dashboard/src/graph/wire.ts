import { type Exchange, makeOperation } from '@urql/core';
import { map, pipe } from 'wonka';
import { idOf } from './trusted';

/** A server that runs from the same build knows every document by its id; Vite's own server changes them as we type. */
const BY_ID = import.meta.env.PROD;

/** The extension by which a document's id goes in place of its text. */
export function persisted(name: string | undefined) {
  return BY_ID ? { persistedQuery: { version: 1 as const, sha256Hash: idOf(name) } } : undefined;
}

/** Sends ids. */
export const idsExchange: Exchange =
  ({ forward }) =>
  (operations) =>
    pipe(
      operations,
      map((operation) => {
        const extension = operation.kind === 'teardown' ? undefined : persisted(nameOf(operation.query));
        const extensions = { ...operation.extensions, ...extension };
        return extension ? makeOperation(operation.kind, { ...operation, extensions }, operation.context) : operation;
      }),
      forward,
    );

/** The name of the operation in a document. */
export function nameOf(document: { definitions: readonly unknown[] }): string | undefined {
  const operation = document.definitions.find((each) => (each as { kind: string }).kind === 'OperationDefinition');
  return (operation as { name?: { value: string } } | undefined)?.name?.value;
}
