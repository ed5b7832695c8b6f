import { parse } from '@0no-co/graphql.web';
import type { TypedDocumentNode } from '@urql/core';

const IDS = new Map<string, string>();

/** What each `graphql(...)` becomes in the build: the document, whose id is known from then on. */
export function trusted(id: string, name: string, text: string): TypedDocumentNode {
  IDS.set(name, id);
  return parse(text, { noLocation: true }) as TypedDocumentNode;
}

/** The id by which the server knows an operation. */
export function idOf(name: string | undefined): string {
  const id = name && IDS.get(name);
  if (!id) {
    throw new Error(`The operation ${name} is in no manifest`);
  }
  return id;
}
