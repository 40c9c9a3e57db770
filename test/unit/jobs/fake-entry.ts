import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { AppError, throwIfCancelled } from '../../../src-main/lib/errors.ts';
import { serveJob, type JobHandler } from '../../../src-main/jobs/serve.ts';

const optionsSchema = v.object({
  behavior: v.picklist(['count', 'refuse', 'bug', 'exit', 'memory', 'deaf']),
  steps: v.optional(v.number(), 5),
});

/** Counts steps of 10 ms, as a trainer would: looks for requests at every step. */
const fake: JobHandler = async (project, job, control) => {
  const { behavior, steps } = v.parse(optionsSchema, job.options);
  control.notice(`This is a fake (${behavior}).`);
  for (let step = 1; step <= steps; step++) {
    await sleep(10);
    if (behavior !== 'deaf') throwIfCancelled(control.signal);
    if (control.requested() !== 'none') return { stoppedAt: step };
    control.report({ phase: 'Counting', done: step, total: steps, unit: 'step' });
    if (job.runId !== null) project.runs.setProgress(job.runId, step, steps);
    if (step < 3) continue;
    if (behavior === 'refuse') throw new AppError('fake.refused', 'The fake refuses.');
    if (behavior === 'bug') throw new TypeError('undefined is not a function');
    if (behavior === 'memory') throw new Error('std::bad_alloc');
    if (behavior === 'exit') {
      process.stderr.write('about to fall over\n');
      process.exit(7);
    }
  }
  return { counted: steps };
};

serveJob({
  pretrain: fake,
  finetune: fake,
  study: fake,
  predict: fake,
  export: fake,
  import: fake,
  suggest: fake,
  propose: fake,
  calibrate: fake,
});
