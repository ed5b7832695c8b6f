import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';

const AXE = createRequire(path.join(import.meta.dirname, '../dashboard/package.json')).resolve('axe-core/axe.min.js');

/** Every rule that axe has, those of WCAG 2.2 and of good practice too. */
export async function findingsHere(page, name) {
  await page.evaluate(await readFile(AXE, 'utf8'));
  const violations = await page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { rules: { 'target-size': { enabled: true } } });
    return violations.map(({ id, help, nodes }) => [id, help, nodes.map(({ html }) => html.slice(0, 160))]);
  });
  return violations.map(([id, help, nodes]) => `${name}: ${id} (${help}) ${nodes.slice(0, 4).join(' ')}`);
}
