import * as v from 'valibot';
import { CancelledError } from '../lib/errors.ts';
import { programEntries } from '../lib/program-entries.ts';
import { startProcess } from '../lib/programs.ts';
import { hardwareOf } from './device-hardware.ts';
import { unavailableReason } from './device-reasons.ts';
import type { DeviceName, DeviceReport } from './device-report.ts';

const probeTimeoutMs = 90_000;

/** What the probe process answers. */
const answerSchema = v.variant('type', [
  v.strictObject({
    type: v.literal('measured'),
    gigaflops: v.number(),
    usesGpu: v.boolean(),
  }),
  v.strictObject({ type: v.literal('failed'), message: v.string() }),
]);

/**
 * Runs the trial of one device in a process of its own: a broken driver can end or hang its process,
 * and a trial is no job, so it is started here and not by the queue.
 * @throws CancelledError
 */
export async function runProbe(
  name: DeviceName,
  signal?: AbortSignal,
  entry: URL = programEntries.deviceProbe,
): Promise<DeviceReport> {
  const outcome = await answerOf(entry, name, signal);
  if (signal?.aborted === true) throw new CancelledError();
  if (outcome.answer?.type === 'measured') {
    const { gigaflops, usesGpu } = outcome.answer;
    return { type: 'works', name, gigaflops, ...(await hardwareOf(name, usesGpu)) };
  }
  const reason = unavailableReason(name, outcome.answer?.message, outcome.printed, outcome.ending);
  return { type: 'unavailable', name, reason };
}

interface Outcome {
  readonly answer: v.InferOutput<typeof answerSchema> | undefined;
  /** What the process printed; drivers tell the cause of a failure there. */
  readonly printed: string;
  /** How a process without an answer ended. */
  readonly ending: string;
}

async function answerOf(entry: URL, name: DeviceName, signal?: AbortSignal): Promise<Outcome> {
  let answer: Outcome['answer'];
  let isTimeout = false;
  const child = startProcess({
    entry,
    arguments: [name],
    onMessage: (message) => {
      const parsed = v.safeParse(answerSchema, message);
      if (parsed.success) answer = parsed.output;
    },
  });
  const kill = (): void => child.kill();
  const timer = setTimeout(() => {
    isTimeout = true;
    kill();
  }, probeTimeoutMs);
  signal?.addEventListener('abort', kill);
  if (signal?.aborted === true) kill();
  const { code, signal: killed, lastLines } = await child.exited;
  clearTimeout(timer);
  signal?.removeEventListener('abort', kill);
  return { answer, printed: lastLines.join('\n'), ending: endingText(code, killed, isTimeout) };
}

function endingText(code: number | null, killed: string | null, isTimeout: boolean): string {
  if (isTimeout) return `The trial did not finish within ${probeTimeoutMs / 1000} seconds.`;
  return `The driver crashed during the trial (${killed ?? `exit code ${code}`}).`;
}
