import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { begin } from './build/begin';
import { changes } from './build/changes';
import { documents } from './build/documents';
import { served } from './build/served';

/** Where `npm run dev` finds a server: PUBLIC_URL of `make run`. */
const EARFUL = process.env.EARFUL_URL ?? 'http://127.0.0.1:8000';

export default defineConfig({
  plugins: [begin(), changes(), documents(), react(), served()],
  build: {
    target: 'es2022',
    manifest: true,
    // A style or picture inside a script or a data: URL would need a wider policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: Object.fromEntries(['/graphql', '/graphiql', '/auth'].map((path) => [path, proxied()])) },
  test: { environment: 'jsdom', include: ['src/**/*.test.{ts,tsx}'], setupFiles: ['src/testing/setup.ts'], css: false },
});

function proxied() {
  return { target: EARFUL, ws: true, changeOrigin: true, headers: { origin: EARFUL } };
}
