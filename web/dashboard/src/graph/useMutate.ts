import type { AnyVariables, TypedDocumentNode } from '@urql/core';
import { useCallback } from 'react';
import { useClient } from 'urql';

/** Sends a mutation and answers its data; undefined when it could not be sent or the server failed. */
export function useMutate<Data, Variables extends AnyVariables>(
  document: TypedDocumentNode<Data, Variables>,
): (variables: Variables) => Promise<Data | undefined> {
  const client = useClient();
  return useCallback(
    async (variables) => {
      const { data, error } = await client.mutation(document, variables).toPromise();
      return error ? undefined : data;
    },
    [client, document],
  );
}
