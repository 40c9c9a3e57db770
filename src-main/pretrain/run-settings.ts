import * as v from 'valibot';
import { AppError } from '../lib/errors.ts';
import { settingsProblem } from '../lib/schema-issues.ts';
import type { JsonObject } from '../project/values.ts';
import { PretrainConfigSchema, PretrainOptionsSchema } from './config.ts';
import type { PretrainConfig, PretrainOptions } from './config.ts';

/** What a run's row holds: what was asked for, or, from its first step on, what that came to. */
export type RunSettings =
  | { readonly type: 'asked'; readonly options: PretrainOptions }
  | { readonly type: 'resolved'; readonly config: PretrainConfig };

/**
 * Reads the settings stored with a pre-training run.
 * @throws AppError `config.invalid` naming the setting and what is wrong with it
 */
export function readRunSettings(stored: JsonObject): RunSettings {
  const resolved = v.safeParse(PretrainConfigSchema, stored);
  if (resolved.success) return { type: 'resolved', config: resolved.output };
  const asked = v.safeParse(PretrainOptionsSchema, stored);
  if (asked.success) return { type: 'asked', options: asked.output };
  throw new AppError('config.invalid', settingsProblem(asked.issues));
}

/**
 * The stored settings of a run with `steps` more steps, a warm-up and cosine cycle of their own.
 * @throws AppError `run.not-started` before the run's length is known
 */
export function extendSettings(stored: JsonObject, steps: number): PretrainConfig {
  const settings = readRunSettings(stored);
  if (settings.type === 'asked') {
    throw new AppError(
      'run.not-started',
      'This run has not taken a step yet. Start it first, then extend it.',
    );
  }
  const { config } = settings;
  return v.parse(PretrainConfigSchema, { ...config, extensions: [...config.extensions, steps] });
}
