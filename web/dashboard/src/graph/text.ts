import { stringifyDocument, type TypedDocumentNode } from '@urql/core';
import { nameOf, persisted } from './wire';

/** What is sent for an operation that does not go through the cache: its id, or its text. */
export function textOf(
  document: TypedDocumentNode<unknown, never> | TypedDocumentNode,
  variables: Record<string, unknown>,
) {
  const extensions = persisted(nameOf(document));
  return extensions
    ? { query: undefined as unknown as string, variables, extensions }
    : { query: stringifyDocument(document as TypedDocumentNode), variables };
}
