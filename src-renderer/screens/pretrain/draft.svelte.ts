import type { Plan, Settings } from '../../../src-main/contract/pretrain.ts';
import { withChanges } from './changes.ts';

/** A time overrules steps, and steps overrule epochs: what a choice takes away. */
const overruledBy: Readonly<Record<string, readonly string[]>> = {
  steps: ['timeBudgetSeconds'],
  epochs: ['timeBudgetSeconds', 'steps'],
};

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
    const others = overruledBy[name] ?? [];
    const cleared = Object.fromEntries(others.map((other) => [other, undefined]));
    this.changes = { ...this.changes, ...cleared, [name]: value };
  }

  /** Back to the plan's own value. */
  reset(name: string): void {
    const names = [name, ...(overruledBy[name] ?? [])];
    const kept = Object.entries(this.changes).filter(([changed]) => !names.includes(changed));
    this.changes = Object.fromEntries(kept);
  }

  settings(plan: Plan): Settings {
    return withChanges(plan.settings, this.changes);
  }
}
