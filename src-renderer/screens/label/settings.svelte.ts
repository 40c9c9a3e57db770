import type { SuggestionStrategy } from '../../../src-main/contract/labels.ts';
import type { Tool } from './tools.ts';

export type StrategyChoice = SuggestionStrategy | 'auto';

/** `screen`: looks equally large at every zoom; `image`: covers the same pixels. */
export type BrushUnit = 'screen' | 'image';

export type FillBy = 'region' | 'color';

/** How the labels are shown. */
export type MaskStyle = 'filled' | 'outlined';

const storageKey = 'decon.label';
const smallestPx = 1;
const largestPx = 1000;

/** What a person set up for labelling; the same for every image, kept between visits. */
export class LabelSettings {
  tool: Tool = $state('brush');
  brushPx = $state(24);
  brushUnit: BrushUnit = $state('screen');
  /** 0..1 */
  opacity = $state(0.55);
  isMaskShown = $state(true);
  maskStyle: MaskStyle = $state('filled');
  fillBy: FillBy = $state('region');
  /** How far colors may be from that of the first pixel, 0..255. */
  tolerance = $state(24);
  opensNext = $state(true);
  strategy: StrategyChoice = $state('auto');

  constructor() {
    const stored = readStored();
    if (typeof stored['brushPx'] === 'number') this.resizeBrush(stored['brushPx']);
    if (stored['brushUnit'] === 'image') this.brushUnit = 'image';
    if (typeof stored['opacity'] === 'number') this.setOpacity(stored['opacity']);
    if (stored['maskStyle'] === 'outlined') this.maskStyle = 'outlined';
    if (stored['opensNext'] === false) this.opensNext = false;
  }

  /** Radius in pixels of the image at a zoom. */
  radiusPx(scale: number): number {
    return this.brushPx / 2 / (this.brushUnit === 'screen' ? scale : 1);
  }

  /** Diameter; whole pixels. */
  resizeBrush(diameterPx: number): void {
    this.brushPx = Math.round(Math.min(largestPx, Math.max(smallestPx, diameterPx)));
  }

  /** One step larger (1) or smaller (-1). */
  stepBrush(direction: 1 | -1): void {
    const next = this.brushPx * (direction === 1 ? 1.2 : 1 / 1.2);
    const isTooNear = Math.round(next) === this.brushPx;
    this.resizeBrush(isTooNear ? this.brushPx + direction : next);
  }

  setOpacity(opacity: number): void {
    this.opacity = Math.min(1, Math.max(0.05, Math.round(opacity * 100) / 100));
  }

  toggleMask(): void {
    this.isMaskShown = !this.isMaskShown;
  }

  toggleOutline(): void {
    this.maskStyle = this.maskStyle === 'filled' ? 'outlined' : 'filled';
  }

  /** Call it in an `$effect`: keeps the settings for the next visit. */
  store(): void {
    const { brushPx, brushUnit, opacity, maskStyle, opensNext } = this;
    const text = JSON.stringify({ brushPx, brushUnit, opacity, maskStyle, opensNext });
    localStorage.setItem(storageKey, text);
  }
}

function readStored(): Readonly<Record<string, unknown>> {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(storageKey) ?? '{}');
    return typeof stored === 'object' && stored !== null ? { ...stored } : {};
  } catch {
    return {}; // written by another version
  }
}
