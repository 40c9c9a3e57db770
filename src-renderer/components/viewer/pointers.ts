import type { Point } from './camera.ts';

/** What pointers do to a picture: one drags it, two (fingers) drag and stretch it. */
export interface PointerMove {
  readonly by: Point;
  /** Between the fingers. */
  readonly at: Point;
  /** 1 unless two fingers move apart or together. */
  readonly factor: number;
}

/** Follows the pointers that are down. */
export class Pointers {
  readonly #points = new Map<number, Point>();

  get count(): number {
    return this.#points.size;
  }

  down(id: number, point: Point): void {
    this.#points.set(id, point);
  }

  up(id: number): void {
    this.#points.delete(id);
  }

  /** What this movement means; undefined for a pointer that is not down. */
  move(id: number, point: Point): PointerMove | undefined {
    if (!this.#points.has(id)) return undefined;
    const before = this.#extent();
    this.#points.set(id, point);
    const after = this.#extent();
    return {
      by: { x: after.center.x - before.center.x, y: after.center.y - before.center.y },
      at: after.center,
      factor: before.spread > 0 && after.spread > 0 ? after.spread / before.spread : 1,
    };
  }

  #extent(): { readonly center: Point; readonly spread: number } {
    const points = [...this.#points.values()];
    const center = {
      x: points.reduce((sum, { x }) => sum + x, 0) / points.length,
      y: points.reduce((sum, { y }) => sum + y, 0) / points.length,
    };
    const [first, second] = points;
    const spread =
      first === undefined || second === undefined
        ? 0
        : Math.hypot(first.x - second.x, first.y - second.y);
    return { center, spread };
  }
}
