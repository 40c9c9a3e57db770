import type { Input, Inputs } from '../../../src-main/contract/use.ts';
import { client } from '../../client/client.ts';
import { createQuery } from '../../state/query.svelte.ts';

/** Rows that are asked for at once; the window shows about a dozen. */
const pageSize = 60;

/** The chosen inputs around the rows that are in sight. */
export interface InputPages {
  readonly summary: Omit<Inputs, 'items'> | undefined;
  readonly error: string | undefined;
  /** The input of a row; undefined while it is on its way. */
  at(row: number): Input | undefined;
  readonly refresh: () => void;
}

/** Call it while a component is created; `firstRow` and `modelId` may read runes. */
export function createInputPages(
  firstRow: () => number,
  modelId: () => string | undefined,
): InputPages {
  const offset = $derived(Math.max(0, Math.floor(firstRow() / pageSize - 0.5)) * pageSize);
  const query = createQuery(['predictions'], async () => {
    const from = offset;
    const answer = await client.predictions.inputs({
      offset: from,
      limit: 2 * pageSize,
      modelId: modelId() ?? null,
    });
    return { ...answer, from };
  });
  return {
    get summary() {
      return query.data;
    },
    get error() {
      return query.error;
    },
    at: (row) => query.data?.items[row - query.data.from],
    refresh: () => query.refresh(),
  };
}
