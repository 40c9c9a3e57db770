import { distinctColor, type Rgb } from '../lib/colors.ts';
import { type SlotMap, slotsByArea } from './slot-maps.ts';
import type { RgbImage } from './tiles.ts';

/** Every slot in its color, larger ones first in the color order, with the picture shining through. */
export function paintMap(picture: RgbImage, { slots }: SlotMap): RgbImage {
  const colors = new Map(slotsByArea(slots).map(([slot], rank) => [slot, distinctColor(rank)]));
  return painted(picture, slots, (slot) => ({ color: colors.get(slot), share: 0.6 }));
}

/** One slot in orange, the rest of the picture in grey tones that keep it recognizable. */
export function paintSlot(picture: RgbImage, { slots }: SlotMap, chosen: number): RgbImage {
  return painted(picture, slots, (slot) =>
    slot === chosen ? { color: highlight, share: 0.55 } : { color: shade, share: 0.35 },
  );
}

function painted(
  picture: RgbImage,
  slots: Uint16Array,
  paintOf: (slot: number) => { readonly color: Rgb | undefined; readonly share: number },
): RgbImage {
  const { widthPx } = picture;
  const data = Uint8Array.from(picture.data); // a Buffer's slice would share its memory
  slots.forEach((slot, i) => {
    const isBorder =
      (i % widthPx > 0 && slots[i - 1] !== slot) || (slots[i - widthPx] ?? slot) !== slot;
    const { color, share } = isBorder ? { color: borderColor, share: 0.8 } : paintOf(slot);
    for (let c = 0; c < 3; c++) {
      const base = data[i * 3 + c] ?? 0;
      data[i * 3 + c] = base + ((color?.[c] ?? base) - base) * share;
    }
  });
  return { ...picture, data };
}

const highlight: Rgb = [230, 120, 0];
const shade: Rgb = [90, 95, 105];
const borderColor: Rgb = [20, 22, 28];
