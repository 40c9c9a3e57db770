import type { Command } from './command.ts';
import { device } from './commands/device.ts';
import { devices } from './commands/devices.ts';
import { exportCommand } from './commands/export.ts';
import { finetune } from './commands/finetune.ts';
import { importCommand } from './commands/import.ts';
import { init } from './commands/init.ts';
import { pretrain } from './commands/pretrain.ts';
import { predict } from './commands/predict.ts';
import { resume } from './commands/resume.ts';
import { runs } from './commands/runs.ts';
import { serve } from './commands/serve.ts';
import { slots } from './commands/slots.ts';
import { stop } from './commands/stop.ts';
import { study } from './commands/study.ts';

/** Every command, in the order of a project's life. */
export const commands: readonly Command[] = [
  serve,
  init,
  importCommand,
  devices,
  device,
  pretrain,
  finetune,
  study,
  predict,
  slots,
  exportCommand,
  runs,
  resume,
  stop,
];
