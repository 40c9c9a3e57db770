/** Red, green, blue, each 0..255. */
export type Rgb = readonly [number, number, number];

/**
 * The `index`-th of a list of colors that stay apart for color-blind readers: first the palette of
 * Okabe and Ito (2008), then hues a golden angle apart on four clearly different lightnesses.
 */
export function distinctColor(index: number): Rgb {
  const named = okabeIto[index];
  if (named !== undefined) return parseHexColor(named);
  const turn = (index - okabeIto.length) * goldenAngle;
  const lightness = lightnesses[index % lightnesses.length] ?? 0.6;
  return fromOklch(lightness, 0.14, turn);
}

/** `#rrggbb` of a color. */
export function hexColor(color: Rgb): string {
  return `#${color.map((value) => Math.round(value).toString(16).padStart(2, '0')).join('')}`;
}

/** Reads `#rrggbb`; anything else is a bug of the caller. */
export function parseHexColor(text: string): Rgb {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text);
  if (match === null) throw new Error(`"${text}" is not a color like #0072b2`);
  const [red, green, blue] = match.slice(1).map((part) => Number.parseInt(part, 16));
  return [red ?? 0, green ?? 0, blue ?? 0];
}

/** OKLCH to sRGB (Ottosson 2020), clipped to what a screen shows. `turn` in radians. */
function fromOklch(lightness: number, chroma: number, turn: number): Rgb {
  const a = chroma * Math.cos(turn);
  const b = chroma * Math.sin(turn);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    toSrgb(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    toSrgb(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    toSrgb(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

function toSrgb(linear: number): number {
  const clipped = Math.min(Math.max(linear, 0), 1);
  const encoded = clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055;
  return Math.round(255 * encoded);
}

const okabeIto = [
  '#0072b2',
  '#e69f00',
  '#009e73',
  '#cc79a7',
  '#56b4e9',
  '#d55e00',
  '#f0e442',
] as const;
const lightnesses = [0.45, 0.8, 0.62, 0.9] as const;
const goldenAngle = Math.PI * (3 - Math.sqrt(5));
