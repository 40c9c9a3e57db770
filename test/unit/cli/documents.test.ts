import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commands } from '../../../src-main/cli/commands.ts';
import { defined } from '../../../src-main/lib/errors.ts';

const root = new URL('../../../', import.meta.url);

/** Everything after `decon` in the code blocks and in the inline code of a document. */
function shownCommands(file: string): string[] {
  const text = readFileSync(new URL(file, root), 'utf8');
  const blocks = [...text.matchAll(/^ {4}(?:npx )?decon (.+)$/gm)];
  const inline = [...text.matchAll(/`(?:npx )?decon ([a-z].*?)`/g)];
  return [...blocks, ...inline].map(([, command]) => command ?? '');
}

function wordsOf(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(
    ([, quoted, plain]) => quoted ?? plain ?? '',
  );
}

const guide = readdirSync(new URL('docs/guide/', root)).map((name) => `docs/guide/${name}`);
const shown = ['README.md', ...guide].flatMap((file) =>
  shownCommands(file).map((command) => [file, command] as const),
);
const examples = commands.flatMap((command) =>
  [...command.help().matchAll(/^ {2}decon (.+)$/gm)].map(
    ([, words]) => [command.name, words ?? ''] as const,
  ),
);

test('documents show commands', () => expect(shown.length).toBeGreaterThan(20));

test.each([...shown, ...examples])('in %s: decon %s', (_file, command) => {
  const [name, ...words] = wordsOf(command);
  const known = defined(
    commands.find((each) => each.name === name),
    `command ${name}`,
  );
  expect(() => known.check(words)).not.toThrow();
});
