import { distinctColor, hexColor } from '../lib/colors.ts';

/** `#rrggbb` of a 24-bit color. */
export function toHex(color: number): string {
  return `#${color.toString(16).padStart(6, '0')}`;
}

/** The 24-bit color of `#rrggbb`, or undefined when it is written otherwise. */
export function fromHex(hex: string): number | undefined {
  return /^#[0-9a-f]{6}$/i.test(hex) ? Number.parseInt(hex.slice(1), 16) : undefined;
}

/** A color for a class that has none: black for the first, mostly the background. */
export function defaultColor(classIndex: number): string {
  return classIndex === 0 ? '#000000' : hexColor(distinctColor(classIndex - 1));
}
