import * as v from 'valibot';

/** Asks a measuring process for steps, or for its end. */
export const ToSubjectSchema = v.variant('type', [
  v.strictObject({ type: v.literal('run'), warmup: v.number(), steps: v.number() }),
  v.strictObject({ type: v.literal('end') }),
]);
export type ToSubject = v.InferOutput<typeof ToSubjectSchema>;

const ProfileSchema = v.strictObject({
  /** Of one step. */
  stepMs: v.number(),
  families: v.array(v.strictObject({ family: v.string(), ms: v.number(), nodes: v.number() })),
});
export type Profile = v.InferOutput<typeof ProfileSchema>;

/** What a measuring process tells. Times in milliseconds. */
export const FromSubjectSchema = v.variant('type', [
  v.strictObject({
    type: v.literal('opened'),
    nodes: v.number(),
    traceMs: v.number(),
    compileMs: v.number(),
  }),
  v.strictObject({ type: v.literal('ran'), ms: v.array(v.number()) }),
  v.strictObject({
    type: v.literal('ended'),
    peakMib: v.number(),
    profile: v.exactOptional(ProfileSchema),
  }),
  v.strictObject({ type: v.literal('failed'), message: v.string() }),
]);
export type FromSubject = v.InferOutput<typeof FromSubjectSchema>;
