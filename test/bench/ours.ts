import { startProcess } from '../../src-main/lib/programs.ts';
import * as v from 'valibot';
import { CASES } from './cases.ts';
import { FromSubjectSchema, type FromSubject, type ToSubject } from './messages.ts';
import type { SubjectOptions } from './subject.ts';

const entry = new URL('./subject-process.ts', import.meta.url);

type Opened = Extract<FromSubject, { type: 'opened' }>;
type Ended = Extract<FromSubject, { type: 'ended' }>;

/** Our engine with one case compiled, in a process of its own that waits between rounds. */
export interface OurProcess {
  readonly info: Opened;
  /** Milliseconds of `steps` steps after `warmup` others. */
  run(round: { readonly warmup: number; readonly steps: number }): Promise<readonly number[]>;
  end(): Promise<Ended>;
}

/** Starts the process and compiles the case. @throws Error with what went wrong there */
export async function openOurs(options: SubjectOptions): Promise<OurProcess> {
  let settle: ((message: FromSubject) => void) | undefined;
  const child = startProcess<ToSubject>({
    entry,
    // As the app's jobs that train.
    keepsHeap: CASES[options.name].kind !== 'infer',
    arguments: [JSON.stringify(options)],
    onMessage: (raw) => settle?.(v.parse(FromSubjectSchema, raw)),
  });
  const died = child.exited.then(({ lastLines }): FromSubject => ({
    type: 'failed',
    message: lastLines.join('\n') || 'The process ended without a word.',
  }));
  const next = async (message?: ToSubject): Promise<FromSubject> => {
    const answer = new Promise<FromSubject>((resolve) => (settle = resolve));
    if (message !== undefined) child.send(message);
    return Promise.race([answer, died]);
  };
  const expected = async <T extends FromSubject['type']>(type: T, message?: ToSubject) => {
    const answer = await next(message);
    if (isOf(answer, type)) return answer;
    child.kill();
    const reason = answer.type === 'failed' ? answer.message : `an unexpected "${answer.type}"`;
    throw new Error(`Case ${options.name} was not measured: ${reason}`);
  };
  return {
    info: await expected('opened'),
    run: async (round) => (await expected('ran', { type: 'run', ...round })).ms,
    end: () => expected('ended', { type: 'end' }),
  };
}

function isOf<T extends FromSubject['type']>(
  message: FromSubject,
  type: T,
): message is Extract<FromSubject, { type: T }> {
  return message.type === type;
}
