import type * as v from 'valibot';
import type { Picture } from './messages.ts';

/** One way of making a picture, run in the picture process. */
export interface PictureTask<TInput> {
  readonly schema: v.GenericSchema<unknown, TInput>;
  /** @throws AppError for files that cannot be read; stops early when the signal aborts */
  run(input: TInput, signal: AbortSignal): Promise<Picture>;
}

/** Names the input's type once: by its schema. */
export function pictureTask<TInput>(task: PictureTask<TInput>): PictureTask<TInput> {
  return task;
}
