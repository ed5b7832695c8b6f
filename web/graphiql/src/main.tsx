// The playground: GraphiQL, its tabs, and how it signs in.
import type { Fetcher, FetcherParams } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import 'graphiql/style.css';
import { getOperationAST, type OperationTypeNode, parse } from 'graphql';
import { createRoot } from 'react-dom/client';

import { examples } from './examples';
import { handed } from './handed';
import { KeepIdentified, Placeholders } from './companions';
import { identify, isUnauthenticated, keepIdentified, leave, refreshCookies, useCaller } from './session';
import { storage } from './storage';
import './style.css';
import { authorizationOf, type Headers, hold, post, subscribe } from './transport';

const fetcher: Fetcher = async (request, options) => {
  const headers: Headers = options?.headers ?? {};
  const authorization = authorizationOf(headers);
  const { operation, kind } = chosen(request);
  if (kind === 'subscription') {
    await keepIdentified(authorization);
    return subscribe(operation, authorization);
  }
  let result = await post(operation, headers);
  if (isUnauthenticated(result) && !authorization && (await refreshCookies())) {
    result = await post(operation, headers);
  }
  void (kind === 'mutation' ? identify(authorization) : keepIdentified(authorization));
  return result;
};

/**
 * GraphiQL learns a moment late which operation its editor holds, and so names the last tab's when a tab
 * is run as soon as it is opened: a name that is not in the document gives way to the only one that is.
 */
function chosen(operation: FetcherParams): { operation: FetcherParams; kind?: OperationTypeNode } {
  try {
    const document = parse(operation.query);
    const named = getOperationAST(document, operation.operationName);
    const found = named ?? getOperationAST(document);
    return { operation: { ...operation, operationName: found?.name?.value }, kind: found?.operation };
  } catch {
    return { operation }; // The server says what is wrong with the document.
  }
}

function Session() {
  const caller = useCaller();
  if (caller === undefined) {
    return null;
  }
  if (caller === null) {
    return <>Not signed in. Run the SignIn tab, or set an Authorization header.</>;
  }
  return (
    <>
      <span>
        Signed in as <strong>{caller.name}</strong>
      </span>
      {caller.byCookie && (
        <button type="button" onClick={() => void leave()}>
          Sign out
        </button>
      )}
    </>
  );
}

const defaultTabs = examples(new Date()).map(({ query, variables }) => ({
  query,
  variables: variables ? JSON.stringify(variables, null, 2) : null,
  headers: null,
}));

async function show(root: HTMLElement): Promise<void> {
  const { authorization, query, variables } = await handed();
  hold(authorization);
  const own = query ? { query, variables: variables ?? null, headers: null } : undefined;
  createRoot(root).render(
    <GraphiQL
      fetcher={fetcher}
      storage={storage}
      defaultTabs={own ? [own, ...defaultTabs] : defaultTabs}
      {...(own && { query: own.query, variables: own.variables ?? undefined })}
      defaultEditorToolsVisibility="variables"
    >
      <GraphiQL.Logo>Earful</GraphiQL.Logo>
      <GraphiQL.Footer>
        <div className="earful-session" role="status">
          <Session />
        </div>
      </GraphiQL.Footer>
      <KeepIdentified />
      <Placeholders />
    </GraphiQL>,
  );
}

const root = document.getElementById('graphiql');
if (root) {
  void show(root);
}
