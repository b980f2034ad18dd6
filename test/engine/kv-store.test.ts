import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KvStore } from '../../src/engine/kv-store.js';

const LAYERS = 2;
const WIDTH = 3;

/** A block whose every number says where it came from. */
function block(positions: readonly number[], version: number) {
  const part = (offset: number) =>
    Array.from({ length: LAYERS }, (_, layer) =>
      Float32Array.from(
        positions.flatMap((position) =>
          [0, 1, 2].map((c) => offset + 1000 * version + 100 * layer + 10 * position + c),
        ),
      ),
    );
  return { k: part(0), v: part(0.5) };
}

const expected = (position: number, version: number, layer: number, offset: number) =>
  [0, 1, 2].map((c) => offset + 1000 * version + 100 * layer + 10 * position + c);

describe('KvStore', () => {
  it('behaves as a map from position and version to rows, whatever is written and dropped', () => {
    const write = fc.record({
      kind: fc.constant('put' as const),
      positions: fc.uniqueArray(fc.nat(9), { minLength: 1, maxLength: 8 }),
    });
    const drop = fc.record({ kind: fc.constant('retain' as const), keep: fc.infiniteStream(fc.boolean()) });
    fc.assert(
      fc.property(fc.array(fc.oneof(write, drop), { maxLength: 12 }), (steps) => {
        const store = new KvStore(LAYERS, WIDTH);
        let model: { position: number; version: number }[] = [];
        const all: { position: number; version: number }[] = [];
        let version = 0;
        for (const step of steps) {
          if (step.kind === 'put') {
            store.put(step.positions, version, block(step.positions, version));
            for (const position of step.positions) {
              model.push({ position, version });
              all.push({ position, version });
            }
            version++;
          } else {
            model = model.filter(() => step.keep.next().value === true);
            store.retain(model);
          }
          expect(store.size).toBe(model.length);
          for (const ref of all) {
            const held = model.some((m) => m.position === ref.position && m.version === ref.version);
            if (!held) {
              expect(() => store.read(ref)).toThrow(/does not exist/);
              continue;
            }
            const { k, v } = store.read(ref);
            for (let layer = 0; layer < LAYERS; layer++) {
              expect([...k[layer]!]).toEqual(expected(ref.position, ref.version, layer, 0));
              expect([...v[layer]!]).toEqual(expected(ref.position, ref.version, layer, 0.5));
            }
          }
          const target = new Float32Array(model.length * WIDTH);
          store.gather(model, 1, 'v', target);
          expect([...target]).toEqual(model.flatMap((m) => expected(m.position, m.version, 1, 0.5)));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('does not keep dead rows of a pass alive', () => {
    const store = new KvStore(LAYERS, WIDTH);
    const positions = Array.from({ length: 100 }, (_, i) => i);
    store.put(positions, 0, block(positions, 0));
    const full = store.bytes;
    // K and V in f32.
    expect(full).toBe(100 * WIDTH * LAYERS * 2 * 4);
    store.retain([{ position: 42, version: 0 }]);
    expect(store.bytes).toBe(full / 100);
  });

  it('refuses a second entry of the same position and version', () => {
    const store = new KvStore(LAYERS, WIDTH);
    store.put([1, 2], 0, block([1, 2], 0));
    expect(() => store.put([2], 0, block([2], 0))).toThrow(/position 2 version 0 written twice/);
    store.retain([]);
    store.put([2], 0, block([2], 0));
  });

  it('keeps what is listed twice once, and ignores what it never had', () => {
    const store = new KvStore(LAYERS, WIDTH);
    store.put([1, 2], 0, block([1, 2], 0));
    store.retain([
      { position: 1, version: 0 },
      { position: 1, version: 0 },
      { position: 7, version: 3 },
    ]);
    expect(store.size).toBe(1);
  });

  it('gives the contents of an entry a stamp that survives compaction and never returns', () => {
    const store = new KvStore(LAYERS, WIDTH);
    const positions = [0, 1, 2, 3, 4];
    store.put(positions, 0, block(positions, 0));
    const first = store.stamp({ position: 3, version: 0 });
    store.retain([{ position: 3, version: 0 }]);
    expect(store.stamp({ position: 3, version: 0 })).toBe(first);
    store.retain([]);
    store.put(positions, 0, block(positions, 0));
    expect(store.stamp({ position: 3, version: 0 })).not.toBe(first);
  });
});
