/** A process that compiles one case and runs steps of it when asked, so that its memory is its own. */
import * as v from 'valibot';
import { messageOf } from '../../src-main/lib/errors.ts';
import { ToSubjectSchema, type FromSubject } from './messages.ts';
import { readProfile } from './profile.ts';
import { openSubject, SubjectSchema, type Subject } from './subject.ts';

const options = v.parse(SubjectSchema, JSON.parse(process.argv[2] ?? ''));
let index = 0;

try {
  const subject = await openSubject(options);
  send({ type: 'opened', ...subject.info });
  process.on('message', (raw) => void answer(subject, raw).catch(fail));
} catch (error) {
  fail(error);
}

async function answer(subject: Subject, raw: unknown): Promise<void> {
  const message = v.parse(ToSubjectSchema, raw);
  if (message.type === 'end') return end(subject);
  for (let i = 0; i < message.warmup; i++) await subject.run(index++);
  const ms: number[] = [];
  for (let i = 0; i < message.steps; i++) {
    const started = performance.now();
    await subject.run(index++);
    ms.push(performance.now() - started);
  }
  send({ type: 'ran', ms });
}

async function end(subject: Subject): Promise<void> {
  const peakMib = process.resourceUsage().maxRSS / 1024;
  await subject.dispose(); // onnxruntime writes its profile now
  const { profilePrefix } = options;
  send({
    type: 'ended',
    peakMib,
    ...(profilePrefix === undefined
      ? {}
      : { profile: readProfile(profilePrefix, subject.graph()) }),
  });
  process.disconnect();
}

function fail(error: unknown): void {
  send({ type: 'failed', message: messageOf(error) });
  process.exitCode = 1;
  process.disconnect();
}

function send(message: FromSubject): void {
  process.send?.(message);
}
