/** A process that trains a tiny run and kills itself with SIGKILL after the given step. */
import { trainOnTiles } from '../../../src-main/pretrain/trainer.ts';
import { openProject } from '../../../src-main/project/project.ts';
import { control, cpu, noiseTiles } from './tiny-run.ts';

const [dir = '', runId = '', killAfter = ''] = process.argv.slice(2);
const project = openProject(dir, { migrate: false });
const heard = control();
await trainOnTiles(project, runId, {
  tiles: noiseTiles(),
  device: cpu,
  started: performance.now(),
  control: {
    ...heard,
    report: (progress) => {
      heard.report(progress);
      if (progress.done === Number(killAfter)) process.kill(process.pid, 'SIGKILL');
    },
  },
});
