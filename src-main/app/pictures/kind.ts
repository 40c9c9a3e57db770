import * as v from 'valibot';
import type { Workspace } from '../workspace.ts';
import type { Picture } from './messages.ts';

/** What main looks up for an address before the picture process makes the picture. */
export interface PictureKind<TParameters = unknown> {
  /** What the ids in the address are of, in order. */
  readonly ids: readonly string[];
  readonly parameters: v.GenericSchema<unknown, TParameters>;
  /** @throws AppError for what is not there or cannot be read */
  make(
    workspace: Workspace,
    ids: readonly string[],
    parameters: TParameters,
    signal: AbortSignal,
  ): Promise<Picture>;
}

/** Makes a kind from the schemas of its parameters, which are strings in an address. */
export function pictureKind<TEntries extends v.ObjectEntries>(kind: {
  readonly ids: readonly string[];
  readonly parameters: TEntries;
  make(
    workspace: Workspace,
    ids: readonly string[],
    parameters: v.InferOutput<v.StrictObjectSchema<TEntries, undefined>>,
    signal: AbortSignal,
  ): Promise<Picture>;
}): PictureKind<v.InferOutput<v.StrictObjectSchema<TEntries, undefined>>> {
  return { ...kind, parameters: v.strictObject(kind.parameters) };
}

/** A whole number in an address. */
export function whole(min: number, max: number) {
  const digits = v.pipe(v.string(), v.regex(/^\d{1,9}$/), v.transform(Number));
  return v.pipe(digits, v.number(), v.minValue(min), v.maxValue(max));
}

/** `1` in an address; absent means no. */
export const yes = v.optional(
  v.pipe(
    v.literal('1'),
    v.transform(() => true),
  ),
);
