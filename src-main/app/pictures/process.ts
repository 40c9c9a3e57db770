/** The one long-lived process that decodes pictures for the window. */
import * as v from 'valibot';
import { AppError, CancelledError, defined } from '../../lib/errors.ts';
import { connectParent } from '../../lib/parent.ts';
import { log, openLog, stackOf, userLogFolder } from '../../lib/log.ts';
import { parseToPictures, type FromPictures, type Picture } from './messages.ts';
import type { PictureTask } from './task.ts';
import { tasks } from './tasks.ts';

type Loader = () => Promise<PictureTask<unknown>>;

const loaders: ReadonlyMap<string, Loader> = new Map(Object.entries<Loader>(tasks));
const running = new Map<number, AbortController>();

openLog(process.env['DECON_LOG_DIR'] ?? userLogFolder());
const parent = connectParent();
process.on('disconnect', () => process.exit());
parent.onMessage((raw) => {
  const message = parseToPictures(raw);
  const { number } = message;
  if (message.type === 'cancel') return running.get(number)?.abort();
  const controller = new AbortController();
  running.set(number, controller);
  make(message.task, message.input, controller.signal)
    .then(
      (picture): FromPictures => ({ type: 'made', number, picture }),
      (error: unknown): FromPictures => ({ type: 'failed', number, error: failureOf(error) }),
    )
    .then(send)
    .catch(() => process.exit(1));
});

async function make(name: string, input: unknown, signal: AbortSignal): Promise<Picture> {
  const task = await defined(loaders.get(name), `picture task ${name}`)();
  return task.run(v.parse(task.schema, input), signal);
}

/** Bugs go to the log with their stack. */
function failureOf(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof AppError) return { code: error.code, message: error.message };
  if (error instanceof CancelledError) return { code: 'cancelled', message: error.message };
  log('error', 'pictures', stackOf(error));
  return { code: 'internal', message: 'This picture could not be made; the log has the details.' };
}

function send(message: FromPictures): Promise<void> {
  running.delete(message.number);
  return parent.send(message);
}
