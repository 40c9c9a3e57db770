import type { HostTensor, HostTensors } from '../graph/types.ts';
import { AppError } from '../lib/errors.ts';
import { canonicalName, isBatchCounter } from './names.ts';

/** What became of the names of a weights file; nothing is ignored silently. */
export interface LoadReport {
  /** Our names that were filled. */
  readonly loaded: readonly string[];
  /** Our names, among those asked for, that the file does not have. */
  readonly missing: readonly string[];
  /** The file's names that mean nothing here, e.g. a classifier `fc.weight`. */
  readonly unknown: readonly string[];
  /** Same name, other shape; not used. */
  readonly mismatched: readonly ShapeMismatch[];
}

export interface ShapeMismatch {
  readonly name: string;
  readonly expected: readonly number[];
  readonly found: readonly number[];
}

/**
 * Replaces start values by those of a file. `target` is a freshly initialized network
 * (`encoder.*`, `decoder.*`, `classifier.*`), `parts` the prefixes that the file should fill.
 * Batch norm's call counters are not weights and are passed over.
 * @throws AppError `weights.nothing-fits` when not a single tensor could be used
 */
export function loadWeights(
  target: HostTensors,
  source: HostTensors,
  parts: readonly string[] = ['encoder.'],
): { readonly tensors: HostTensors; readonly report: LoadReport } {
  const wanted = Object.keys(target).filter((name) => parts.some((part) => name.startsWith(part)));
  const offered = new Map<string, HostTensor>();
  const unknown: string[] = [];
  for (const [fileName, tensor] of Object.entries(source)) {
    const name = canonicalName(fileName);
    if (isBatchCounter(name)) continue;
    if (wanted.includes(name) && !offered.has(name)) offered.set(name, tensor);
    else unknown.push(fileName);
  }
  const tensors: Record<string, HostTensor> = { ...target };
  const loaded: string[] = [];
  const mismatched: ShapeMismatch[] = [];
  for (const [name, tensor] of offered) {
    const expected = target[name]?.shape ?? [];
    if (sameShape(expected, tensor.shape)) {
      tensors[name] = tensor;
      loaded.push(name);
    } else mismatched.push({ name, expected, found: tensor.shape });
  }
  const missing = wanted.filter((name) => !offered.has(name));
  const report = { loaded, missing, unknown, mismatched };
  if (loaded.length === 0) throw nothingFits(report);
  return { tensors, report };
}

/** The report in sentences, one for each kind of trouble; empty when everything fitted. */
export function describeLoad(report: LoadReport): readonly string[] {
  const sentences: string[] = [];
  if (report.missing.length > 0) {
    sentences.push(`The file lacks ${list(report.missing)}; these keep their start values.`);
  }
  if (report.mismatched.length > 0) {
    const shapes = report.mismatched.map(
      ({ name, expected, found }) => `${name} (${found.join('x')}, needed ${expected.join('x')})`,
    );
    sentences.push(`These have another shape and were not used: ${list(shapes)}.`);
  }
  if (report.unknown.length > 0) {
    sentences.push(`These names in the file are not used here: ${list(report.unknown)}.`);
  }
  return sentences;
}

function nothingFits(report: LoadReport): AppError {
  return new AppError(
    'weights.nothing-fits',
    `No weight of this file fits the network. ${describeLoad(report).join(' ')} Check that the file holds the same kind of encoder.`,
    { details: { report } },
  );
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((side, i) => side === b[i]);
}

/** The first few items, and how many more there are. */
function list(items: readonly string[]): string {
  const shown = items.slice(0, 5).join(', ');
  return items.length > 5 ? `${shown} and ${items.length - 5} more` : shown;
}
