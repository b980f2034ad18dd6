/** A small seeded generator (mulberry32): the same seed gives the same numbers on every machine. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let x = this.state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  }

  /** Uniform integer in [low, high]. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  pick<T>(values: readonly T[]): T {
    const value = values[this.integer(0, values.length - 1)];
    if (value === undefined) throw new Error('cannot pick from an empty list');
    return value;
  }

  /** `count` distinct values in random order. */
  sample<T>(values: readonly T[], count: number): T[] {
    if (count > values.length) throw new Error('sample is larger than its population');
    const pool = [...values];
    const taken: T[] = [];
    while (taken.length < count) taken.push(...pool.splice(this.integer(0, pool.length - 1), 1));
    return taken;
  }

  shuffle<T>(values: readonly T[]): T[] {
    return this.sample(values, values.length);
  }
}

/** FNV-1a over the UTF-16 code units of `text`: seeds and the train/held-out split use it. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  // FNV's low bits are weak in its last character: mix before anyone takes a remainder.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 0;
  return (hash ^ (hash >>> 16)) >>> 0;
}
