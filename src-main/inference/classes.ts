import { distinctColor, hexColor, parseHexColor, type Rgb } from '../lib/colors.ts';

/** A class as a model knows it; its index is what masks contain. */
export interface ModelClass {
  readonly index: number;
  readonly name: string;
  /** `#rrggbb` */
  readonly color: string;
}

/** Colors by class index, for indexed pictures; an index without a class gets a color of its own. */
export function classPalette(classes: readonly ModelClass[]): readonly Rgb[] {
  const count = 1 + Math.max(0, ...classes.map((entry) => entry.index));
  return Array.from({ length: count }, (_, index) => {
    const color =
      classes.find((entry) => entry.index === index)?.color ?? hexColor(distinctColor(index));
    return parseHexColor(color);
  });
}

/** Classes that an overlay leaves unpainted, because they mean "nothing here". */
export function isBackground(entry: ModelClass): boolean {
  return /^(background|bg|none|void|unlabell?ed|hintergrund)$/i.test(entry.name.trim());
}

/** What stands beside the masks: which value is which class. */
export function classesAsText(classes: readonly ModelClass[]): string {
  const rows = classes.map(({ index, name, color }) => `${index}\t${name}\t${color}`);
  return ['value\tclass\tcolor', ...rows, ''].join('\n');
}
