import { eventIterator, oc } from '@orpc/contract';
import * as v from 'valibot';

/**
 * Where every procedure begins. An expected failure travels as `APP_ERROR` with the code, sentence
 * and details of lib/errors.ts; anything else is a bug and arrives as "Internal server error".
 */
export const procedure = oc.errors({
  APP_ERROR: {
    status: 422,
    data: v.object({
      code: v.string(),
      message: v.string(),
      details: v.record(v.string(), v.unknown()),
    }),
  },
});

/** A stream of states, latest first, at most ten messages a second. */
export function stream<TIn, TOut>(state: v.GenericSchema<TIn, TOut>) {
  return eventIterator(state);
}
