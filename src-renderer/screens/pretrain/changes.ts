import type { Settings } from '../../../src-main/contract/pretrain.ts';

/** Settings with some set by their names (`augmentation.hue`); undefined takes one away. */
export function withChanges(
  settings: Settings,
  changes: Readonly<Record<string, unknown>>,
): Settings {
  const result = new Map(Object.entries(settings));
  for (const [name, value] of Object.entries(changes)) {
    const [outer = '', inner] = name.split('.');
    const next = inner === undefined ? value : { ...groupOf(result.get(outer)), [inner]: value };
    if (next === undefined) result.delete(outer);
    else result.set(outer, next);
  }
  return Object.fromEntries(result);
}

/** A setting by its name, with a dot inside a group. */
export function settingOf(settings: Settings, name: string): unknown {
  const [outer = '', inner] = name.split('.');
  const value = settings[outer];
  return inner === undefined ? value : groupOf(value)[inner];
}

function groupOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
