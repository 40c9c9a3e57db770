import * as v from 'valibot';
import type { Project } from '../project/project.ts';
import { imageFactsSchema } from './image-facts.ts';
import { eachImage } from './import-pictures.ts';
import { countClasses, warningsOf } from './class-shares.ts';
import type { Fingerprint, Range } from './fingerprint-schema.ts';

/** What the usable images and the labels of a project look like. */
export function fingerprintOf(project: Project): Fingerprint {
  const splits = { train: 0, val: 0, test: 0, unlabelled: 0, unused: 0 };
  const counters = { formats: new Counter(), channels: new Counter(), bitDepths: new Counter() };
  const groups = new Set<string>();
  const widths: number[] = [];
  const heights: number[] = [];
  const levels = { low: 255, sum: 0, high: 0 };
  let images = 0;
  for (const image of eachImage(project, 'usable')) {
    const { intensity } = v.parse(imageFactsSchema, image.facts);
    images++;
    splits[image.split ?? 'unused']++;
    counters.formats.add(image.format);
    counters.channels.add(String(image.channels));
    counters.bitDepths.add(String(image.bitDepth));
    if (image.groupKey !== null) groups.add(image.groupKey);
    widths.push(image.widthPx);
    heights.push(image.heightPx);
    levels.low = Math.min(levels.low, intensity.low);
    levels.high = Math.max(levels.high, intensity.high);
    levels.sum += intensity.mean;
  }
  const { classes, labelled } = countClasses(project);
  const channels = counters.channels.counts();
  return {
    images,
    labelled,
    duplicates: project.images.count({ status: 'duplicate' }),
    splits,
    groups: groups.size,
    formats: counters.formats.counts(),
    channels,
    bitDepths: counters.bitDepths.counts(),
    widthPx: rangeOf(widths),
    heightPx: rangeOf(heights),
    intensity:
      images === 0
        ? { low: 0, mean: 0, high: 0 }
        : { low: levels.low, mean: levels.sum / images, high: levels.high },
    classes,
    warnings: warningsOf({ channels, classes, labelled }),
  };
}

function rangeOf(values: number[]): Range {
  values.sort((a, b) => a - b);
  return {
    min: values[0] ?? 0,
    median: values[Math.floor(values.length / 2)] ?? 0,
    max: values.at(-1) ?? 0,
  };
}

class Counter {
  readonly #counts = new Map<string, number>();

  add(key: string): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  counts(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([, a], [, b]) => b - a));
  }
}
