import * as v from 'valibot';
import { expect, test } from 'vitest';
import { settingsProblem } from '../../../src-main/lib/schema-issues.ts';

const schema = v.pipe(
  v.strictObject({
    alpha: v.optional(v.pipe(v.number(), v.maxValue(1))),
    ema: v.optional(v.picklist(['consistent', 'released'])),
    crop: v.optional(v.pipe(v.number(), v.multipleOf(32, 'It must be a multiple of 32.'))),
  }),
  v.check((settings) => settings.alpha !== 0.5, 'Not one half.'),
);

test.each([
  [{ beta: 1 }, 'There is no setting "beta".'],
  [{ alpha: 2 }, 'The setting "alpha" must be at most 1, not 2.'],
  [{ alpha: 'x' }, 'The setting "alpha" must be number, not "x".'],
  [{ ema: 'no' }, 'The setting "ema" must be "consistent" or "released", not "no".'],
  [{ crop: 33 }, 'The setting "crop" is not valid: It must be a multiple of 32.'],
  [{ alpha: 0.5 }, 'Not one half.'],
])('%j is told as "%s"', (settings, sentence) => {
  const result = v.safeParse(schema, settings);
  expect(result.success ? '' : settingsProblem(result.issues)).toBe(sentence);
});
