import type { ShellMessages } from '../app/messages';
import { graphql } from '../gql';

/** Spread into each mutation's result: `...Refusal`. */
export const REFUSAL = graphql(`
  fragment Refusal on Problem {
    __typename
    message
    ... on InvalidInput {
      fields {
        path
        message
      }
    }
    ... on RateLimited {
      retryAfterSeconds
    }
  }
`);

/** Why something was refused, as forms show it. */
export interface Problem {
  /** The type's name in the schema. */
  kind: string;
  message: string;
  /** By the way to the field, joined with dots: `author.email`. */
  fields: Record<string, string>;
  retryAfterSeconds?: number;
}

/** The refusal in a mutation's result; undefined where it succeeded. */
export function problemIn(result: { __typename?: string } | null | undefined): Problem | undefined {
  if (!result) {
    return { kind: 'other', message: '', fields: {} };
  }
  if (result.__typename?.endsWith('Success')) {
    return undefined;
  }
  const given = result as {
    __typename: string;
    message?: string;
    fields?: { path: string[]; message: string }[];
    retryAfterSeconds?: number;
  };
  return {
    kind: given.__typename,
    message: given.message ?? '',
    fields: Object.fromEntries((given.fields ?? []).map(({ path, message }) => [path.join('.'), message])),
    ...(given.retryAfterSeconds !== undefined && { retryAfterSeconds: given.retryAfterSeconds }),
  };
}

/** The problem in the reader's words. */
export function sentence(problem: Problem, { problems }: ShellMessages): string {
  if (problem.kind === 'RateLimited') {
    return problems.RateLimited(problem.retryAfterSeconds ?? 60);
  }
  const text = problems[problem.kind as keyof typeof problems];
  return typeof text === 'string' ? text : problems.other;
}
