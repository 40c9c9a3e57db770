import type { BatchData, CompiledStep } from '../graph/compile.ts';
import { defined } from '../lib/errors.ts';

/** Share of the budget that stays free for checkpoints and for a machine that gets slower. */
const reserve = 0.05;

/**
 * How many steps fit into the rest of a time budget, measured with a few real steps. They happen
 * before training, on a state that is thrown away: what they find is stored with the run, so that
 * training depends on the step count alone and can be repeated and continued exactly.
 */
export async function stepsInBudget(
  compiled: CompiledStep,
  batch: BatchData,
  budget: { readonly seconds: number; readonly started: number },
): Promise<number> {
  const initial = await compiled.readState();
  const times: number[] = [];
  const begun = performance.now();
  for (let run = 0; run < 5; run++) {
    const before = performance.now();
    await compiled.run(batch);
    times.push((performance.now() - before) / 1000);
    const spent = (performance.now() - begun) / 1000;
    if (run > 0 && spent > 0.1 * budget.seconds) break;
  }
  await compiled.writeState(initial);
  const [, ...warm] = times; // the first run also allocates
  const sorted = warm.sort((a, b) => a - b);
  const stepSeconds = defined(sorted[Math.floor(sorted.length / 2)], 'a measured step');
  const left = budget.seconds * (1 - reserve) - (performance.now() - budget.started) / 1000;
  return Math.max(1, Math.floor(left / stepSeconds));
}
