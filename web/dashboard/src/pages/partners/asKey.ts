import { SUBMIT } from './recipes';

const ABOUT = `{
  viewer { apiKey { name prefix scopes expiresAt } workspaces { id name } }
  rateLimit { limit remaining resetAt }
}`;

export interface About {
  viewer: {
    apiKey: { name: string; prefix: string; scopes: string[]; expiresAt: string | null } | null;
    workspaces: { id: string; name: string }[];
  } | null;
  rateLimit: { limit: number; remaining: number; resetAt: string };
}

interface Submitted {
  submitFeedback: { feedback?: { id: string }; message?: string };
}

export type Answer<Data> = { data: Data } | { refusal: string };

/** Asks as a partner's program does: with the key, without cookies. The key is kept nowhere. */
async function ask<Data>(key: string, query: string, variables: object = {}): Promise<Answer<Data>> {
  try {
    const response = await fetch('/graphql', {
      method: 'POST',
      credentials: 'omit',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data?: Data; errors?: { message: string }[] };
    return errors?.[0] || !data ? { refusal: errors?.[0]?.message ?? response.statusText } : { data };
  } catch (error) {
    return { refusal: String(error) };
  }
}

export const about = (key: string) => ask<About>(key, ABOUT);

export const submit = (key: string, workspaceId: string, body: string) =>
  ask<Submitted>(key, SUBMIT, { input: { workspaceId, body } });
