import { createRequire } from 'node:module';
import path from 'node:path';

/** Chromium, driven by the playwright-core that the dashboard has installed. */
export function launched(executablePath) {
  const { chromium } = createRequire(path.join(import.meta.dirname, '../dashboard/package.json'))('playwright-core');
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}
