import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { errorText, errorTexts } from '../../../src-main/contract/errors.ts';

const root = fileURLToPath(new URL('../../../src-main/', import.meta.url));

/** Every code that the sources give to an error, a fault or a problem, with where it stands. */
function codesOfSources(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const uses = [
    /AppError\(\s*'([a-z-]+\.[a-z.-]+)'/g,
    /AppError\(\s*\w+ \? '([a-z-]+\.[a-z.-]+)'/g,
    /\bcode: '([a-z-]+\.[a-z.-]+)'/g,
  ];
  for (const file of globSync('**/*.ts', { cwd: root })) {
    if (file.startsWith('contract/')) continue;
    const source = readFileSync(`${root}${file}`, 'utf8');
    for (const use of uses) {
      for (const [, code] of source.matchAll(use)) if (code !== undefined) found.set(code, file);
    }
  }
  return found;
}

test('every code has a text for the user', () => {
  const missing = [...codesOfSources()].filter(([code]) => !(code in errorTexts));
  expect(missing).toEqual([]);
});

test('no text is left of a code that is gone', () => {
  const all = globSync('**/*.ts', { cwd: root })
    .filter((file) => !file.startsWith('contract/'))
    .map((file) => readFileSync(`${root}${file}`, 'utf8'))
    .join('\n');
  // Some codes are put together or looked up; their last word is in the sources all the same.
  const gone = Object.keys(errorTexts).filter((code) => {
    const [area = '', name = ''] = code.split(/\.(.*)/s);
    return !all.includes(`'${code}'`) && !all.includes(`\`${area}.`) && !all.includes(`'${name}'`);
  });
  expect(gone).toEqual([]);
});

test('titles are short, advice is a sentence', () => {
  for (const [code, { title, advice }] of Object.entries(errorTexts)) {
    expect(title.length, code).toBeLessThanOrEqual(60);
    expect(title, code).toMatch(/^[A-Z].*[^.]$/);
    expect(advice, code).toMatch(/^[A-Z].*\.$/s);
  }
});

test('an unknown code is told as a bug', () => {
  expect(errorText('no.such-code').title).toBe('Something went wrong inside DeCon Studio');
});
