/** One image as a point: features of a network, or a few plain facts. */
export type Point = Float32Array;

export interface Pick {
  /** Into the candidates. */
  readonly index: number;
  /** From the nearest known or picked point; 0 for the first of all. */
  readonly distance: number;
}

/**
 * Orders candidates so that each is as far as possible from everything known and picked before it
 * (farthest-point sampling, Gonzalez 1985). With nothing known it begins with the candidate nearest
 * to the mean of all, the most typical one.
 */
export function farthestFirst(
  candidates: readonly Point[],
  known: readonly Point[],
  count: number,
): Pick[] {
  const nearest = candidates.map((point) =>
    known.reduce((least, other) => Math.min(least, squaredDistance(point, other)), Infinity),
  );
  const isPicked = candidates.map(() => false);
  const picks: Pick[] = [];
  while (picks.length < Math.min(count, candidates.length)) {
    const isFirst = picks.length === 0 && known.length === 0;
    const index = isFirst ? mostTypical(candidates) : farthest(nearest, isPicked);
    const picked = candidates[index];
    if (picked === undefined) break;
    picks.push({ index, distance: isFirst ? 0 : Math.sqrt(nearest[index] ?? 0) });
    isPicked[index] = true;
    for (const [i, point] of candidates.entries()) {
      if (isPicked[i] === true) continue;
      nearest[i] = Math.min(nearest[i] ?? Infinity, squaredDistance(point, picked));
    }
  }
  return picks;
}

/** Brings every feature to mean 0 and standard deviation 1 over all points, in place. */
export function standardize(points: readonly Point[]): void {
  const length = points[0]?.length ?? 0;
  for (let k = 0; k < length; k++) {
    let [sum, squares] = [0, 0];
    for (const point of points) {
      const value = point[k] ?? 0;
      sum += value;
      squares += value * value;
    }
    const mean = sum / points.length;
    const std = Math.sqrt(Math.max(0, squares / points.length - mean * mean));
    for (const point of points) point[k] = std > 1e-9 ? ((point[k] ?? 0) - mean) / std : 0;
  }
}

function farthest(nearest: readonly number[], isPicked: readonly boolean[]): number {
  let best = -1;
  for (let i = 0; i < nearest.length; i++) {
    if (isPicked[i] === true) continue;
    if (best === -1 || (nearest[i] ?? 0) > (nearest[best] ?? 0)) best = i;
  }
  return best;
}

function mostTypical(points: readonly Point[]): number {
  const mean = new Float32Array(points[0]?.length ?? 0);
  for (const point of points) {
    for (let k = 0; k < mean.length; k++) {
      mean[k] = (mean[k] ?? 0) + (point[k] ?? 0) / points.length;
    }
  }
  let best = 0;
  let least = Infinity;
  for (const [i, point] of points.entries()) {
    const distance = squaredDistance(point, mean);
    if (distance < least) [best, least] = [i, distance];
  }
  return best;
}

function squaredDistance(a: Point, b: Point): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += ((a[k] ?? 0) - (b[k] ?? 0)) ** 2;
  return sum;
}
