// What GraphiQL keeps in the browser: tabs and history, without the passwords typed into them.
import type { Storage } from '@graphiql/toolkit';

const DEMO_PASSWORD = 'earful-demo-password';
/** A password's value in GraphQL or JSON, at any depth of escaping: the store holds JSON within JSON. */
const PASSWORD = /(password(?:\\*")?\s*:\s*\\*")((?:[^"\\]|\\+[^"\\])*)/gi;

export const storage: Storage = {
  getItem: (key) => window.localStorage.getItem(key),
  setItem: (key, value) => window.localStorage.setItem(key, withoutPasswords(value)),
  removeItem: (key) => window.localStorage.removeItem(key),
  clear: () => keys().forEach((key) => window.localStorage.removeItem(key)),
  get length() {
    return keys().length;
  },
};

function withoutPasswords(value: string): string {
  return value.replace(PASSWORD, (whole, before: string, password: string) =>
    password === DEMO_PASSWORD ? whole : before,
  );
}

/** Only the playground's own: the dashboard keeps its things in the same place. */
function keys(): string[] {
  return Object.keys(window.localStorage).filter((key) => key.startsWith('graphiql:') || key === 'earful:filled');
}
