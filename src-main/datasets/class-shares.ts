import type { Project } from '../project/project.ts';
import type { Fingerprint } from './fingerprint-schema.ts';

/** Below this share of the labelled pixels a class is called rare (product requirement). */
const rareShare = 0.001;

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

/** Whether a class has less than the share of labelled pixels that is enough. */
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
