import * as tf from '@tensorflow/tfjs-core';
import { kvInputId } from '../../model/build-graph.js';
import type { KvRef } from '../../pass/pass.js';
import { PREFIX_SET } from '../../pass/shape.js';
import type { KvStore } from '../kv-store.js';
import { PrefixRows } from '../prefix-rows.js';

/** K and V of a pass's reads as tensors, uploaded again only when the reads change. */
export class PrefixCache {
  private readonly rows: PrefixRows;
  private current: Map<string, tf.Tensor2D> = new Map();

  constructor(private readonly store: KvStore) {
    this.rows = new PrefixRows(store);
  }

  /**
   * Tensors by graph input id, valid until the next call.
   * @throws CheckError when an entry does not exist
   */
  tensors(reads: readonly KvRef[]): ReadonlyMap<string, tf.Tensor2D> {
    if (!this.rows.assemble(reads)) return this.current;
    this.free();
    if (reads.length === 0) return this.current;
    for (let layer = 0; layer < this.store.layers; layer++) {
      for (const part of ['k', 'v'] as const) {
        // tfjs keeps a reference to the array it is given until first use: hand it its own.
        const values = this.rows.values(layer, part).slice();
        const tensor = tf.tensor2d(values, [reads.length, this.store.width]);
        this.current.set(kvInputId(PREFIX_SET, layer, part), tensor);
      }
    }
    return this.current;
  }

  dispose(): void {
    this.free();
    this.rows.clear();
  }

  private free(): void {
    for (const tensor of this.current.values()) tensor.dispose();
    this.current = new Map();
  }
}
