import type { Rectangle } from 'electron';
import type { UserState } from '../user-state.ts';

export interface WindowPlace {
  readonly x?: number;
  readonly y?: number;
  readonly width: number;
  readonly height: number;
}

export const minimumSize = { width: 960, height: 640 } as const;
const usualSize = { width: 1360, height: 880 } as const;
/** So much of the title bar must be on a screen for the window to be moved. */
const grip = 80;

/** Where the window opens: as it was left, unless that screen is gone. */
export function windowPlace(
  stored: UserState['window'],
  screens: readonly Pick<Rectangle, 'x' | 'y' | 'width' | 'height'>[],
): WindowPlace {
  if (stored === null) return fitting(usualSize, screens);
  const size = fitting(stored, screens);
  const { x, y } = stored;
  const isReachable = screens.some(
    (screen) =>
      x + size.width >= screen.x + grip &&
      x <= screen.x + screen.width - grip &&
      y >= screen.y &&
      y <= screen.y + screen.height - grip,
  );
  return isReachable ? { x, y, ...size } : size;
}

function fitting(
  wanted: { readonly width: number; readonly height: number },
  screens: readonly { readonly width: number; readonly height: number }[],
): { readonly width: number; readonly height: number } {
  const largest = (side: 'width' | 'height'): number =>
    Math.max(minimumSize[side], ...screens.map((screen) => screen[side]));
  return {
    width: clamp(wanted.width, minimumSize.width, largest('width')),
    height: clamp(wanted.height, minimumSize.height, largest('height')),
  };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(Math.round(value), low), high);
}
