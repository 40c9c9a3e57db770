import * as v from 'valibot';

/** What help says about an option or argument; attached to its schema as metadata. */
const aboutSchema = v.object({
  /** The placeholder of its value; absent for a switch. */
  value: v.optional(v.string()),
  help: v.string(),
  /** May be given several times. */
  repeats: v.optional(v.boolean()),
});
export type About = Readonly<v.InferOutput<typeof aboutSchema>>;

/** A schema of one option: from the words on the command line to a value. */
export type OptionSchema = v.GenericSchema<unknown>;

export function aboutOf(schema: OptionSchema): About {
  return v.parse(aboutSchema, v.getMetadata(schema));
}

/** A switch: there or not. */
export function flag(help: string) {
  return v.pipe(v.optional(v.boolean(), false), v.metadata({ help }));
}

export function text(value: string, help: string) {
  return v.pipe(v.optional(v.string()), v.metadata({ value, help }));
}

/** May be given several times. */
export function texts(value: string, help: string) {
  return v.pipe(v.optional(v.array(v.string()), []), v.metadata({ value, help, repeats: true }));
}

export function choice<const T extends readonly string[]>(values: T, help: string) {
  const schema = v.picklist(values, `must be one of ${values.join(', ')}`);
  return v.pipe(v.optional(schema), v.metadata({ value: values.join('|'), help }));
}

export function integer(help: string, minimum = 0) {
  return v.pipe(v.optional(integerText(minimum)), v.metadata({ value: 'N', help }));
}

export function decimal(help: string) {
  return v.pipe(v.optional(numberText), v.metadata({ value: 'X', help }));
}

/** `0.1` or `10%`. */
export function share(help: string) {
  return v.pipe(v.optional(shareText), v.metadata({ value: 'SHARE', help }));
}

/** `5%,10%,1` */
export function shares(help: string) {
  return v.pipe(v.optional(listOf(shareText)), v.metadata({ value: 'SHARES', help }));
}

/** `0,1,2` */
export function integers(help: string) {
  return v.pipe(v.optional(listOf(integerText(0))), v.metadata({ value: 'N,N', help }));
}

export function choices<const T extends readonly string[]>(values: T, help: string) {
  const each = v.picklist(values, `must hold only ${values.join(', ')}`);
  return v.pipe(v.optional(listOf(each)), v.metadata({ value: values.join(','), help }));
}

/** `90s`, `30m`, `2h`, to seconds. */
export function duration(help: string) {
  return v.pipe(v.optional(durationText), v.metadata({ value: 'TIME', help }));
}

export function integerText(minimum: number) {
  return v.pipe(
    v.string(),
    v.regex(/^\d+$/, 'must be a whole number'),
    v.transform(Number),
    v.safeInteger('is too large'),
    v.minValue(minimum, `must be at least ${minimum}`),
  );
}

function listOf<T>(each: v.GenericSchema<string, T>) {
  return v.pipe(
    v.string(),
    v.transform((words) => words.split(',').map((word) => word.trim())),
    v.array(each),
  );
}

const numberText = v.pipe(
  v.string(),
  v.regex(/^-?\d+(?:\.\d+)?(?:e-?\d+)?$/i, 'must be a number'),
  v.transform(Number),
);

const shareText = v.pipe(
  v.string(),
  v.regex(/^\d+(?:\.\d+)?%?$/, 'must be a share such as 0.1 or 10%'),
  v.transform((words) =>
    words.endsWith('%') ? Number.parseFloat(words) / 100 : Number.parseFloat(words),
  ),
  v.gtValue(0, 'must be more than 0'),
  v.maxValue(1, 'must be at most 1 (or 100%)'),
);

/** Seconds. */
export const durationText = v.pipe(
  v.string(),
  v.regex(/^\d+(?:\.\d+)?\s*[smh]$/, 'must be a time such as 90s, 30m or 2h'),
  v.transform((words) => Number.parseFloat(words) * (secondsIn.get(words.slice(-1)) ?? 1)),
  v.minValue(1, 'must be at least one second'),
);

const secondsIn: ReadonlyMap<string, number> = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
]);
