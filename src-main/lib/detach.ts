import { CancelledError } from './errors.ts';
import { log, stackOf } from './log.ts';

/** Lets a promise go on by itself; a rejection is logged under `scope` instead of being lost. */
export function detach(promise: Promise<unknown>, scope: string): void {
  promise.catch((error: unknown) => {
    if (!(error instanceof CancelledError)) log('error', scope, stackOf(error));
  });
}
