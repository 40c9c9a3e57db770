import type { Plan, Settings } from '../../../src-main/contract/pretrain.ts';

/** Settings of the length; only one of them counts, so that setting one takes the others away. */
const lengths = ['timeBudgetSeconds', 'steps', 'epochs'];

/** The run that is being planned: a plan and what was changed about it. */
export class Draft {
  planId = $state('quick');
  /** Changed settings by name, with a dot inside a group; undefined means left out. */
  changes: Readonly<Record<string, unknown>> = $state.raw({});
  name = $state('');
  /** The run whose weights are the start; random without one. */
  startRunId: string | undefined = $state();
  slotImageIds: readonly string[] | undefined = $state.raw();

  readonly isChanged = $derived(Object.keys(this.changes).length > 0);

  constructor(startRunId?: string) {
    this.startRunId = startRunId;
  }

  choose(planId: string): void {
    this.planId = planId;
    this.changes = {};
  }

  set(name: string, value: unknown): void {
    const others = lengths.includes(name) ? lengths.filter((other) => other !== name) : [];
    const cleared = Object.fromEntries(others.map((other) => [other, undefined]));
    this.changes = { ...this.changes, ...cleared, [name]: value };
  }

  /** Back to the plan's own value. */
  reset(name: string): void {
    const names = lengths.includes(name) ? lengths : [name];
    const kept = Object.entries(this.changes).filter(([changed]) => !names.includes(changed));
    this.changes = Object.fromEntries(kept);
  }

  settings(plan: Plan): Settings {
    return withChanges(plan.settings, this.changes);
  }
}

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
