import * as v from 'valibot';
import { expect, test } from 'vitest';
import { defineCommand } from '../../../src-main/cli/command.ts';
import {
  formatBytes,
  formatDuration,
  formatProgress,
  formatTable,
  formatTimeRange,
} from '../../../src-main/cli/format.ts';
import {
  choices,
  duration,
  flag,
  integer,
  integers,
  share,
  shares,
  texts,
} from '../../../src-main/cli/options.ts';
import type { Output } from '../../../src-main/cli/output.ts';
import { settingsFrom } from '../../../src-main/cli/settings.ts';

test.each([
  ['90s', 90],
  ['30m', 1800],
  ['1.5h', 5400],
])('the time %s is %d seconds', (words, seconds) => {
  expect(v.parse(duration(''), words)).toBe(seconds);
});

test('shares are numbers or percentages above 0', () => {
  expect(v.parse(share(''), '10%')).toBe(0.1);
  expect(v.parse(shares(''), '5%, 0.1,1')).toEqual([0.05, 0.1, 1]);
  expect(() => v.parse(share(''), '0')).toThrow(/more than 0/);
  expect(() => v.parse(share(''), '120%')).toThrow(/at most 1/);
});

test('lists are separated by commas', () => {
  expect(v.parse(integers(''), '0,1,2')).toEqual([0, 1, 2]);
  expect(v.parse(choices(['a', 'b'], ''), 'b,a')).toEqual(['b', 'a']);
  expect(() => v.parse(choices(['a', 'b'], ''), 'a,c')).toThrow(/must hold only a, b/);
});

function silent(): Output & { readonly lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    text: (text) => void lines.push(text),
    record: () => undefined,
    notice: () => undefined,
    progress: () => undefined,
    failure: () => 1,
  };
}

function sample(seen: unknown[]) {
  return defineCommand({
    name: 'sample',
    summary: 'A sample',
    unknownOption: 'Nothing else.',
    arguments: [{ name: 'FILE', help: 'the files', isRepeated: true }],
    options: { maxSteps: integer('steps', 1), dryRun: flag('only look'), set: texts('X', 'more') },
    examples: ['decon sample a'],
    run: (given) => {
      seen.push({ ...given.options, words: given.words });
      return Promise.resolve();
    },
  });
}

test('options and arguments are parsed by the table', async () => {
  const seen: unknown[] = [];
  const words = ['a', '--max-steps', '7', '--dry-run', '--set', 'x=1', '--set', 'y=2', 'b'];
  await sample(seen).execute(words, silent());
  expect(seen).toEqual([
    {
      maxSteps: 7,
      dryRun: true,
      set: ['x=1', 'y=2'],
      json: false,
      help: false,
      words: ['a', 'b'],
    },
  ]);
});

test.each([
  [['a', '--steps', '3'], /Unknown option '--steps'.*Nothing else\..*--help/],
  [['a', '--max-steps', 'x'], /--max-steps must be a whole number, not "x"/],
  [['a', '--max-steps', '0'], /--max-steps must be at least 1, not "0"/],
  [[], /FILE is missing: the files/],
])('wrong words %j end in a sentence', async (words, sentence) => {
  await expect(sample([]).execute(words, silent())).rejects.toThrow(sentence);
});

test('help names every option', async () => {
  const output = silent();
  await sample([]).execute(['--help'], output);
  expect(output.lines.join()).toMatch(/FILE\.\.\..*--max-steps N.*--dry-run.*--project.*--json/s);
});

test('settings are JSON or text, and named options win', () => {
  const words = ['hidden=512', 'ema=released', 'scale=[1,2]', 'alpha=0.1'];
  expect(settingsFrom({ alpha: 0.5, seed: undefined }, words)).toEqual({
    hidden: 512,
    ema: 'released',
    scale: [1, 2],
    alpha: 0.5,
  });
  expect(() => settingsFrom({}, ['hidden'])).toThrow(/NAME=VALUE/);
});

test('progress is one readable line', () => {
  const line = formatProgress({
    phase: 'Learning',
    done: 120,
    total: 2000,
    unit: 'step',
    imagesPerSecond: 21.34,
    memoryBytes: 1.23e9,
    remainingSeconds: [700, 850],
    values: { loss: 5.3216 },
  });
  expect(line).toBe(
    'Learning  120/2000 steps (6 %)  loss 5.32  21.3 images/s  1.23 GB  11 to 15 min left',
  );
  const looking = { phase: 'Looking', done: 3, total: 0, unit: 'file' } as const;
  expect(formatProgress(looking)).toBe('Looking  3 files');
  expect(formatTimeRange([50, 50])).toBe('50 s');
  expect(formatDuration(9000)).toBe('2.5 h');
  expect(formatBytes(12)).toBe('12 bytes');
  expect(
    formatTable([
      ['a', 'bb'],
      ['ccc', 'd'],
    ]),
  ).toBe('a    bb\n---  --\nccc  d');
});
