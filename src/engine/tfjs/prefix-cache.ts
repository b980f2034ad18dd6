import * as tf from '@tensorflow/tfjs-core';
import type { KvRef } from '../../decode/types.js';
import { kvInputId } from '../../model/build-graph.js';
import { PREFIX_SET } from '../../model/pass-shape.js';
import type { KvStore } from '../kv-store.js';

/**
 * K and V of a pass's reads as tensors. A prefix mostly stays or grows at its end, so the assembled rows are kept
 * and only those after the first changed reference are copied again.
 */
export class PrefixCache {
  /** Position and content stamp of every assembled row. */
  private assembled: readonly { readonly position: number; readonly stamp: number }[] = [];
  private readonly rows: { k: Float32Array; v: Float32Array }[];
  private current: Map<string, tf.Tensor2D> = new Map();

  constructor(private readonly store: KvStore) {
    this.rows = Array.from({ length: store.layers }, () => ({
      k: new Float32Array(0),
      v: new Float32Array(0),
    }));
  }

  /**
   * Tensors by graph input id, valid until the next call.
   * @throws CheckError when an entry does not exist
   */
  tensors(reads: readonly KvRef[]): ReadonlyMap<string, tf.Tensor2D> {
    const wanted = reads.map((ref) => ({ position: ref.position, stamp: this.store.stamp(ref) }));
    const same = firstDifference(this.assembled, wanted);
    if (same === wanted.length && same === this.assembled.length) return this.current;
    this.dispose();
    if (reads.length > 0) this.assemble(reads, same);
    this.assembled = wanted;
    return this.current;
  }

  dispose(): void {
    for (const tensor of this.current.values()) tensor.dispose();
    this.current = new Map();
    this.assembled = [];
  }

  private assemble(reads: readonly KvRef[], from: number): void {
    const { width } = this.store;
    const length = reads.length * width;
    this.rows.forEach((buffers, layer) => {
      for (const part of ['k', 'v'] as const) {
        if (buffers[part].length < length) buffers[part] = grown(buffers[part], length);
        this.store.gather(reads, layer, part, buffers[part], from);
        // tfjs keeps a reference to the array it is given until first use: hand it its own.
        const tensor = tf.tensor2d(buffers[part].slice(0, length), [reads.length, width]);
        this.current.set(kvInputId(PREFIX_SET, layer, part), tensor);
      }
    });
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
