import { AppError } from '../lib/errors.ts';
import type { JsonObject } from '../project/values.ts';

/**
 * The settings of a new run: `--set NAME=VALUE` words below the named options. A value is JSON, or
 * text when it is none; options that were not given leave the method's default.
 * @throws AppError `usage.invalid`
 */
export function settingsFrom(named: JsonObject, assignments: readonly string[]): JsonObject {
  const given = Object.entries(named).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(assignments.map(parseAssignment)), ...Object.fromEntries(given) };
}

function parseAssignment(words: string): readonly [name: string, value: unknown] {
  const at = words.indexOf('=');
  if (at < 1) {
    throw new AppError('usage.invalid', `--set needs NAME=VALUE, not "${words}".`);
  }
  return [words.slice(0, at), parseValue(words.slice(at + 1))];
}

function parseValue(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return text;
  }
}
