import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, type Page } from '@playwright/test';
import * as v from 'valibot';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

const findingsSchema = v.array(
  v.object({
    id: v.string(),
    help: v.string(),
    nodes: v.array(
      v.object({ target: v.array(v.unknown()), failureSummary: v.optional(v.string(), '') }),
    ),
  }),
);

/** Fails with every rule of WCAG 2.2 A and AA, and axe's good habits, that the page breaks. */
export async function expectAccessible(page: Page, where: string): Promise<void> {
  // The policy of the page forbids foreign scripts; this way goes through the debugger.
  await page.evaluate(source);
  const run = `axe.run({ runOnly: ${JSON.stringify(rules)} }).then((result) => result.violations)`;
  const findings = v.parse(findingsSchema, await page.evaluate(run));
  const told = findings.map(({ id, help, nodes }) => {
    const places = nodes.map((node) => `  ${node.target.join(' ')}: ${node.failureSummary}`);
    return `${where}: ${help} (${id})\n${places.join('\n')}`;
  });
  expect.soft(told, told.join('\n')).toEqual([]);
}
