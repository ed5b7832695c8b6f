import { graphql } from '../gql';
import { post } from './post';

const RENEW = graphql(`
  mutation RenewSession {
    refreshSession(input: { cookies: true }) {
      __typename
    }
  }
`);

/** `renewed`, `refused` when there is no session any more, or `unreachable` when nobody could say. */
export type Renewal = 'renewed' | 'refused' | 'unreachable';

let running: Promise<Renewal> | undefined;

/** Trade the refresh token in its cookie for new ones: once at a time, in all tabs together. */
export function renew(): Promise<Renewal> {
  running ??= alone(ask).finally(() => {
    running = undefined;
  });
  return running;
}

/** Browsers have locks for pages over https and on this machine. */
async function alone(work: () => Promise<Renewal>): Promise<Renewal> {
  return navigator.locks ? navigator.locks.request('earful-renewal', work) : work();
}

async function ask(): Promise<Renewal> {
  try {
    const answer = await post<{ refreshSession?: { __typename: string } | null }>(RENEW);
    switch (answer.data?.refreshSession?.__typename) {
      case 'RefreshSessionSuccess':
        return 'renewed';
      case 'InvalidCredentials':
        return 'refused';
      default:
        return 'unreachable';
    }
  } catch {
    return 'unreachable';
  }
}
