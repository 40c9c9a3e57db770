/** The whole state of a generator: four 32-bit words. Stored in checkpoints for exact resume. */
export type RandomState = readonly [number, number, number, number];

/**
 * A seeded generator (xoshiro128**, Blackman and Vigna 2018). Uniforms carry 53 random bits.
 * Same seed, same sequence, on every machine.
 */
export class Random {
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;

  constructor(seed: number | RandomState) {
    if (typeof seed !== 'number') {
      [this.#a, this.#b, this.#c, this.#d] = seed;
      return;
    }
    const next = splitMix32(seed);
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = next();
  }

  /** A snapshot that `new Random(state)` continues from. */
  state(): RandomState {
    return [this.#a, this.#b, this.#c, this.#d];
  }

  /** An independent generator for one purpose; does not advance this one. */
  fork(label: string): Random {
    let hash = 0x811c9dc5 ^ this.#a ^ Math.imul(this.#c, 0x9e3779b1);
    for (let i = 0; i < label.length; i++) {
      hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193);
    }
    return new Random(hash >>> 0);
  }

  /** A 32-bit unsigned integer. */
  uint32(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = rotateLeft(this.#d, 11);
    return result;
  }

  /** Uniform in [low, high). */
  uniform(low = 0, high = 1): number {
    const unit = ((this.uint32() >>> 5) * 0x4000000 + (this.uint32() >>> 6)) / 2 ** 53;
    return low + (high - low) * unit;
  }

  /** Uniform integer in 0..count-1. */
  integer(count: number): number {
    return Math.floor(this.uniform() * count);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** Normal with mean 0 and standard deviation 1 (Box-Muller, one of the pair). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Normal cut at +-`cut` standard deviations, by redrawing. */
  truncatedNormal(cut = 2): number {
    for (;;) {
      const value = this.normal();
      if (Math.abs(value) <= cut) return value;
    }
  }

  /** A shuffled copy (Fisher-Yates). */
  shuffled<T>(values: readonly T[]): T[] {
    const result = [...values];
    for (let i = result.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const [x, y] = [result[i], result[j]];
      if (x === undefined || y === undefined) continue;
      result[i] = y;
      result[j] = x;
    }
    return result;
  }
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function splitMix32(seed: number): () => number {
  let state = (seed ^ Math.floor(seed / 2 ** 32)) >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
}
