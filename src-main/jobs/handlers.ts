import * as v from 'valibot';
import { chooseDevice, type DeviceChoice } from '../graph/devices.ts';
import type { Device } from '../graph/types.ts';
import { AppError, defined } from '../lib/errors.ts';
import type { RunControl } from '../lib/progress.ts';
import type { JobRow } from '../project/jobs.ts';
import type { Project } from '../project/project.ts';
import {
  calibrateOptionsSchema,
  exportOptionsSchema,
  proposeOptionsSchema,
  suggestOptionsSchema,
  trainingOptionsSchema,
} from './job-options.ts';
import type { JobHandler, JobHandlers } from './serve.ts';

// Each module is loaded by the job that needs it: an import needs no networks, a training no decoder.

const storedDeviceSchema = v.object({ name: v.string() });

const pretrain: JobHandler = async (project, job, control) => {
  const { runPretraining } = await import('../pretrain/trainer.ts');
  const { SlotRecorder } = await import('../inference/slot-recorder.ts');
  const { slotImageIds } = v.parse(trainingOptionsSchema, job.options);
  const runId = runOf(job);
  const device = await runDevice(project, job, control);
  await runPretraining(project, runId, device, control, (config) => {
    return new SlotRecorder(project, { runId, config }, slotImageIds);
  });
  return undefined;
};

const calibrate: JobHandler = async (_project, job, control) => {
  const { measurePaces } = await import('../pretrain/measure.ts');
  const { PaceStore } = await import('../pretrain/pace-store.ts');
  const { configs } = v.parse(calibrateOptionsSchema, job.options);
  const choice = await jobDevice(job, control);
  return measurePaces(configs, choice, { store: new PaceStore(), control });
};

const finetune: JobHandler = async (project, job, control) => {
  const { runFinetuning } = await import('../finetune/trainer.ts');
  const runId = runOf(job);
  await runFinetuning(project, runId, await runDevice(project, job, control), control);
  return undefined;
};

const importing: JobHandler = async (project, job, control) => {
  const { runImportJob } = await import('./import-job.ts');
  return runImportJob(project, job, control);
};

const predict: JobHandler = async (project, job, control) => {
  const { runPrediction } = await import('./predict-job.ts');
  const { device } = await jobDevice(job, control);
  return runPrediction({ project, device, control }, job.options);
};

const exportModel: JobHandler = async (project, job) => {
  const { exportRun } = await import('../inference/export.ts');
  const { runId, ...options } = v.parse(exportOptionsSchema, job.options);
  return { ...(await exportRun(project, runId, options)) };
};

const study: JobHandler = async (project, job, control) => {
  const { runStudy } = await import('../finetune/study.ts');
  const { device } = await jobDevice(job, control);
  await runStudy(project, defined(job.studyId, 'study of a study job'), device, control);
  return undefined;
};

const suggest: JobHandler = async (project, job, control) => {
  const { suggestImages } = await import('../inference/suggest.ts');
  const options = v.parse(suggestOptionsSchema, job.options);
  const openDevice = async () => (await jobDevice(job, control)).device;
  return { ...(await suggestImages(project, { ...options, openDevice }, control)) };
};

const propose: JobHandler = async (project, job, control) => {
  const { proposeLabels } = await import('../inference/propose.ts');
  const options = v.parse(proposeOptionsSchema, job.options);
  const { device } = await jobDevice(job, control);
  return { ...(await proposeLabels(project, { ...options, device }, control)) };
};

export const handlers: JobHandlers = {
  pretrain,
  finetune,
  study,
  predict,
  export: exportModel,
  import: importing,
  suggest,
  propose,
  calibrate,
};

/**
 * The device of a run: chosen at its first start and stored, because another device rounds
 * differently and a continued run must equal an uninterrupted one.
 * @throws AppError `device.unavailable` when the stored one is gone
 */
async function runDevice(project: Project, job: JobRow, control: RunControl): Promise<Device> {
  const run = defined(project.runs.get(runOf(job)), 'run');
  if (run.device === null) {
    const choice = await jobDevice(job, control);
    project.runs.setDevice(run.id, { name: choice.name, message: choice.message });
    return choice.device;
  }
  const { name } = v.parse(storedDeviceSchema, run.device);
  const choice = await chooseDevice(name, { signal: control.signal });
  if (!choice.isFallback) return choice.device;
  throw new AppError(
    'device.unavailable',
    `${run.name} was trained on the device "${name}", which does not work now. On another one it ` +
      'could not be continued exactly. Start a new run from its weights, or make the device work.',
  );
}

/** The device that a job was asked to use, told to the user. */
async function jobDevice(job: JobRow, control: RunControl): Promise<DeviceChoice> {
  const { device } = v.parse(trainingOptionsSchema, job.options);
  const choice = await chooseDevice(device, { signal: control.signal });
  control.notice(choice.message);
  return choice;
}

function runOf(job: JobRow): string {
  return defined(job.runId, 'run of a training job');
}
