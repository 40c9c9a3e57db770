import { implement } from '@orpc/server';
import { contract } from '../../contract/contract.ts';
import { AppError, CancelledError } from '../../lib/errors.ts';
import { log, stackOf } from '../../lib/log.ts';

/**
 * The contract to implement. Expected failures travel with code and sentence; anything else is
 * logged with its stack and masked.
 */
export const implementation = implement(contract).use(async ({ next, errors, path }) => {
  try {
    return await next();
  } catch (error) {
    if (error instanceof AppError) {
      const { code, message, details } = error;
      throw errors.APP_ERROR({ message, data: { code, message, details } });
    }
    if (!(error instanceof CancelledError)) log('error', path.join('.'), stackOf(error));
    throw error;
  }
});
