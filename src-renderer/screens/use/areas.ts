import { formatCount, formatFigure } from '../../format.ts';

/** The area of some pixels in the unit that gives a readable figure; pixels where their size is unknown. */
export function formatArea(pixels: number, pixelSizeUm: number | undefined): string {
  if (pixelSizeUm === undefined) return `${formatCount(pixels)} px`;
  const um2 = pixels * pixelSizeUm ** 2;
  const unit = units.find(({ um }) => um2 >= 0.1 * um ** 2) ?? smallest;
  return `${formatFigure(um2 / unit.um ** 2)} ${unit.name}²`;
}

const smallest = { name: 'µm', um: 1 };

/** From the largest; a square kilometer is a tenth where square meters become unreadable. */
const units: readonly { readonly name: string; readonly um: number }[] = [
  { name: 'km', um: 1e9 },
  { name: 'm', um: 1e6 },
  { name: 'mm', um: 1e3 },
  smallest,
];

/** Each part's share of the whole; nothing has a share of nothing. */
export function sharesOf(pixels: readonly number[]): readonly number[] {
  const total = pixels.reduce((sum, count) => sum + count, 0);
  return pixels.map((count) => (total === 0 ? 0 : count / total));
}
