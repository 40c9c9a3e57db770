import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { runDecon } from './decon.ts';

const root = resolve(import.meta.dirname, '../..');
const folder = join(root, 'out/e2e');

/** Sizes that two cores finish in about three minutes and that learn enough to be looked at. */
const commands: readonly (readonly string[])[] = [
  ['init', '{project}'],
  ['import', join(root, 'resources/demo'), '--project', '{project}'],
  [
    ...['pretrain', '--name', 'overview', '--project', '{project}', '--steps', '60'],
    ...['--batch', '8', '--size', '64', '--tile', '96', '--scale', '0.5'],
    ...['--decoder', 'fpn', '--levels', 'multi', '--optimizer', 'adamw', '--prototypes', '16'],
    ...['--learning-rate', '0.008', '--set', 'decoderChannels=64', '--set', 'dim=64'],
    ...['--set', 'hidden=128', '--set', 'teacherMomentum=0.96', '--set', 'logSteps=1'],
  ],
  [
    ...['study', 'overview', '--name', 'few labels', '--project', '{project}'],
    ...['--fractions', '10%,100%', '--starts', 'random,encoder+decoder', '--seeds', '0,1'],
    ...['--steps', '60', '--set', 'batch=8', '--set', 'cropPx=96', '--set', 'tilePx=160'],
    ...['--set', 'scale=0.5', '--set', 'evaluations=3', '--set', 'evaluationImages=8'],
  ],
];

/**
 * A project with images, labels, a pre-training and a study, copied to `target`. It is made by the
 * command line once and kept until its recipe or the database changes.
 */
export async function copyFinishedProject(target: string): Promise<void> {
  const source = process.env['DECON_FINISHED_PROJECT'] ?? (await finishedProject());
  cpSync(source, target, { recursive: true });
}

/** How long the first caller may have to wait, in milliseconds. */
export const makingTakesMs = 900_000;

async function finishedProject(): Promise<string> {
  const finished = join(folder, `finished-${recipeHash()}`);
  const project = join(finished, 'Nuclei.decon');
  if (existsSync(project)) return project;
  const making = join(folder, `making-${process.pid}`);
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { recursive: true });
  for (const command of commands) {
    await runDecon(command.map((word) => word.replace('{project}', join(making, 'Nuclei.decon'))));
  }
  renameSync(making, finished);
  return project;
}

function recipeHash(): string {
  const hash = createHash('sha256').update(JSON.stringify(commands.map((c) => c.map(relative))));
  const migrations = join(root, 'src-main/project/migrations');
  for (const name of readdirSync(migrations).sort()) {
    hash.update(readFileSync(join(migrations, name)));
  }
  return hash.digest('hex').slice(0, 12);
}

function relative(word: string): string {
  return word.replace(root, '');
}
