import * as v from 'valibot';
import type { Project } from '../project/project.ts';
import { imageFactsSchema } from './image-facts.ts';
import { eachImage } from './import-pictures.ts';
import type { Fingerprint, Range } from './fingerprint-schema.ts';

/** Below this share of the labelled pixels a class is called rare (product requirement). */
const rareShare = 0.001;

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

/** The classes of the labels as they are now, from sums over the masks of usable images. */
export function countClasses(project: Project): Pick<Fingerprint, 'classes' | 'labelled'> {
  const totals = new Map(
    project.imageOutlines.classTotals().map((entry) => [entry.classIndex, entry]),
  );
  const all = [...totals.values()].reduce((sum, { pixels }) => sum + pixels, 0);
  const classes = project.classes.list().map(({ classIndex, name }) => {
    const { pixels, images } = totals.get(classIndex) ?? { pixels: 0, images: 0 };
    return { index: classIndex, name, pixels, images, share: all === 0 ? 0 : pixels / all };
  });
  return { classes, labelled: project.images.count({ status: 'usable', hasMask: true }) };
}

/** Sentences about what the images and the labels look like. */
export function warningsOf({
  channels,
  classes,
  labelled,
}: Pick<Fingerprint, 'channels' | 'classes' | 'labelled'>): string[] {
  return [...channelWarnings(channels), ...classWarnings(classes, labelled)];
}

/** Below 0.1 % of the labelled pixels (product requirement); without any, there is no example. */
export function isRare(share: number): boolean {
  return share < rareShare;
}

function channelWarnings(channels: Readonly<Record<string, number>>): string[] {
  const kinds = Object.entries(channels);
  if (kinds.length < 2) return [];
  const list = kinds.map(([count, images]) => `${images} with ${count}`).join(', ');
  return [
    `The images differ in their number of channels (${list}); all are used as RGB, grey ones with three equal channels.`,
  ];
}

function classWarnings(classes: Fingerprint['classes'], labelled: number): string[] {
  if (labelled === 0) return [];
  return classes.flatMap(({ name, share, pixels }) => {
    if (pixels === 0) return [`The class "${name}" has no example in any mask.`];
    if (!isRare(share)) return [];
    return [
      `The class "${name}" is rare: ${(share * 100).toPrecision(2)} % of the labelled pixels. Training shows it more often, but more examples would help.`,
    ];
  });
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
