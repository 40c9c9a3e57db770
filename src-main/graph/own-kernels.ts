/** Names of tfjs kernels of our own. Only the tracing backend has them; others do without. */
export const KEEP_ROWS = 'KeepRows';
export const SPREAD_ROWS = 'SpreadRows';
export const STANDARDIZE = 'Standardize';
