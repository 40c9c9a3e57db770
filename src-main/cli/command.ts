import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { AppError } from '../lib/errors.ts';
import { aboutOf, flag, text, type OptionSchema } from './options.ts';
import type { Output } from './output.ts';

/** A command as the table of commands knows it. */
export interface Command {
  readonly name: string;
  /** One line. */
  readonly summary: string;
  help(): string;
  /**
   * Only looks whether the words are right.
   * @throws AppError `usage.invalid`
   */
  check(words: readonly string[]): void;
  execute(words: readonly string[], output: Output): Promise<void>;
}

/** What comes without a dash, in order. */
export interface Argument {
  readonly name: string;
  readonly help: string;
  readonly isOptional?: boolean;
  /** The last one may take all words that are left. */
  readonly isRepeated?: boolean;
}

export interface Given<TOptions> {
  readonly options: TOptions;
  /** One for each of the command's arguments (empty where left out), then what a repeated one got. */
  readonly words: readonly string[];
  readonly output: Output;
}

const commonOptions = {
  project: text('DIR', 'the project folder (default: the only *.decon folder here)'),
  json: flag('print one JSON object a line instead of text'),
  help: flag('show this help'),
};

/** Makes a command from its options' schemas; unknown or wrong words end in a sentence. */
export function defineCommand<const TEntries extends Readonly<Record<string, OptionSchema>>>(spec: {
  readonly name: string;
  readonly summary: string;
  readonly details?: string;
  /** Why no other option is accepted, for whoever tries. */
  readonly unknownOption?: string;
  readonly arguments?: readonly Argument[];
  readonly options: TEntries;
  readonly examples: readonly string[];
  run(
    given: Given<v.InferOutput<v.StrictObjectSchema<TEntries, undefined>> & CommonOptions>,
  ): Promise<void>;
}): Command {
  const wanted = spec.arguments ?? [];
  const shown = { ...spec.options, ...commonOptions };
  const help = () => helpOf({ ...spec, arguments: wanted, options: shown });
  const parse = (argv: readonly string[]) => {
    const { values, positionals } = split(spec, shown, argv);
    const own = pick(values, Object.keys(spec.options));
    const common = pick(values, Object.keys(commonOptions));
    const options = {
      ...read(spec.name, v.strictObject(spec.options), own),
      ...read(spec.name, v.strictObject(commonOptions), common),
    };
    return options.help
      ? { isHelp: true as const }
      : { isHelp: false as const, options, words: matched(spec.name, wanted, positionals) };
  };
  return {
    name: spec.name,
    summary: spec.summary,
    help,
    check: (argv) => void parse(argv),
    execute: async (argv, output) => {
      const parsed = parse(argv);
      if (parsed.isHelp) return output.text(help());
      await spec.run({ options: parsed.options, words: parsed.words, output });
    },
  };
}

type CommonOptions = v.InferOutput<v.StrictObjectSchema<typeof commonOptions, undefined>>;

/** An error in how the command was written; exit code 2. */
export function usageError(command: string, sentence: string): AppError {
  return new AppError('usage.invalid', `${sentence} See "decon ${command} --help".`);
}

function split(
  command: { readonly name: string; readonly unknownOption?: string },
  options: Readonly<Record<string, OptionSchema>>,
  argv: readonly string[],
): { values: Readonly<Record<string, unknown>>; positionals: readonly string[] } {
  const config = Object.fromEntries(
    Object.entries(options).map(([name, schema]) => {
      const { value, repeats = false } = aboutOf(schema);
      return [
        kebab(name),
        { type: value === undefined ? 'boolean' : 'string', multiple: repeats } as const,
      ];
    }),
  );
  try {
    const parsed = parseArgs({
      args: [...argv],
      options: config,
      allowPositionals: true,
      strict: true,
    });
    const given: Readonly<Record<string, unknown>> = parsed.values;
    const values = Object.entries(given).map(([name, value]) => [camel(name), value] as const);
    return { values: Object.fromEntries(values), positionals: parsed.positionals };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const isUnknown = 'code' in error && error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION';
    const reason = isUnknown ? [command.unknownOption ?? ''] : [];
    throw usageError(command.name, [sentenceOf(error.message), ...reason].join(' ').trim());
  }
}

/** The first sentence of what parseArgs says, which is meant for people. */
function sentenceOf(message: string): string {
  const first = message.split(/\. |\n/)[0] ?? message;
  return first.endsWith('.') ? first : `${first}.`;
}

function read<T>(
  command: string,
  schema: v.GenericSchema<unknown, T>,
  values: Readonly<Record<string, unknown>>,
): T {
  const result = v.safeParse(schema, values);
  if (result.success) return result.output;
  const issue = result.issues[0];
  const name = v.getDotPath(issue)?.split('.')[0] ?? '';
  const word = values[name];
  const got = typeof word === 'string' ? `, not "${word}"` : '';
  throw usageError(command, `--${kebab(name)} ${issue.message}${got}.`);
}

function matched(
  command: string,
  wanted: readonly Argument[],
  given: readonly string[],
): readonly string[] {
  const takesRest = wanted.at(-1)?.isRepeated === true;
  const extra = given[wanted.length];
  if (extra !== undefined && !takesRest)
    throw usageError(command, `"${extra}" is more than was expected.`);
  const named = wanted.map((argument, i) => {
    const word = given[i];
    if (word !== undefined && word !== '') return word;
    if (argument.isOptional === true) return '';
    throw usageError(command, `${argument.name} is missing: ${argument.help}.`);
  });
  return [...named, ...given.slice(wanted.length)];
}

function helpOf(spec: {
  readonly name: string;
  readonly summary: string;
  readonly details?: string;
  readonly arguments: readonly Argument[];
  readonly options: Readonly<Record<string, OptionSchema>>;
  readonly examples: readonly string[];
}): string {
  const words = spec.arguments.map(({ name, isOptional, isRepeated }) => {
    const word = isRepeated === true ? `${name}...` : name;
    return isOptional === true ? `[${word}]` : word;
  });
  const rows = [
    ...spec.arguments.map(({ name, help }): Row => [name, help]),
    ...Object.entries(spec.options).map(([name, schema]): Row => {
      const { value, help } = aboutOf(schema);
      return [`--${kebab(name)}${value === undefined ? '' : ` ${value}`}`, help];
    }),
  ];
  return [
    `${spec.summary}.`,
    ...(spec.details === undefined ? [] : ['', spec.details]),
    '',
    `Usage: decon ${[spec.name, ...words, '[options]'].join(' ')}`,
    '',
    columns(rows),
    '',
    'Examples:',
    ...spec.examples.map((example) => `  ${example}`),
  ].join('\n');
}

type Row = readonly [string, string];

/** Two columns; a left side that is too wide gets a line of its own. */
export function columns(rows: readonly Row[]): string {
  const width = 26;
  return rows
    .map(([left, right]) =>
      left.length > width - 2
        ? `  ${left}\n  ${' '.repeat(width)}${right}`
        : `  ${left.padEnd(width)}${right}`,
    )
    .join('\n');
}

function pick(
  values: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)));
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function camel(name: string): string {
  return name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
