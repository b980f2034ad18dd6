import type { KvRef } from '../pass/pass.js';
import type { KvStore } from './kv-store.js';

/**
 * K and V of a pass's reads as contiguous rows per layer. A prefix mostly stays or grows at its end, so the assembled
 * rows are kept and only those after the first changed reference are copied again.
 */
export class PrefixRows {
  /** Position and content stamp of every assembled row. */
  private assembled: readonly { readonly position: number; readonly stamp: number }[] = [];
  private readonly rows: { k: Float32Array; v: Float32Array }[];

  constructor(private readonly store: KvStore) {
    this.rows = Array.from({ length: store.layers }, () => ({
      k: new Float32Array(0),
      v: new Float32Array(0),
    }));
  }

  /**
   * Makes the rows those of `reads`; true when that changed anything.
   * @throws CheckError when an entry does not exist
   */
  assemble(reads: readonly KvRef[]): boolean {
    const wanted = reads.map((ref) => ({ position: ref.position, stamp: this.store.stamp(ref) }));
    const same = firstDifference(this.assembled, wanted);
    if (same === wanted.length && same === this.assembled.length) return false;
    const length = reads.length * this.store.width;
    this.rows.forEach((buffers, layer) => {
      for (const part of ['k', 'v'] as const) {
        if (buffers[part].length < length) buffers[part] = grown(buffers[part], length);
        this.store.gather(reads, layer, part, buffers[part], same);
      }
    });
    this.assembled = wanted;
    return true;
  }

  /** Row-major [reads, width] of the last `assemble`; overwritten by the next. */
  values(layer: number, part: 'k' | 'v'): Float32Array {
    const buffers = this.rows[layer];
    if (buffers === undefined) throw new Error(`no layer ${layer}`);
    return buffers[part].subarray(0, this.assembled.length * this.store.width);
  }

  /** Forgets what is assembled, so that nothing is taken for unchanged. */
  clear(): void {
    this.assembled = [];
  }
}

function firstDifference<T extends { readonly position: number; readonly stamp: number }>(
  a: readonly T[],
  b: readonly T[],
): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    if (a[i]!.position !== b[i]!.position || a[i]!.stamp !== b[i]!.stamp) return i;
  }
  return shorter;
}

function grown(buffer: Float32Array, length: number): Float32Array {
  const larger = new Float32Array(Math.max(length, 2 * buffer.length));
  larger.set(buffer);
  return larger;
}
