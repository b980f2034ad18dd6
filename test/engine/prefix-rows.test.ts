import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import { KvStore } from '../../src/engine/kv-store.js';
import { recordMargins } from '../../src/engine/margins.js';
import { PrefixRows } from '../../src/engine/prefix-rows.js';
import type { Pass } from '../../src/pass/pass.js';
import { tinyConfig } from '../support/tiny-model.js';

const WIDTH = 2;

describe('the assembled rows of a prefix', () => {
  /** Values that say whose they are. */
  const value = (position: number, version: number, layer: number): number =>
    100 * position + 10 * version + layer;

  it('are those of the entries that are read, whatever was assembled before', () => {
    const versions = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 5 });
    fc.assert(
      fc.property(fc.array(versions, { minLength: 1, maxLength: 8 }), (passes) => {
        const store = new KvStore(2, WIDTH);
        for (let version = 0; version < 3; version++) {
          const positions = [0, 1, 2, 3, 4];
          const of = (layer: number, part: number) =>
            Float32Array.from(positions.flatMap((at) => [value(at, version, layer), part]));
          store.put(positions, version, { k: [of(0, 0), of(1, 0)], v: [of(0, 1), of(1, 1)] });
        }
        const rows = new PrefixRows(store);
        let before: string | null = '';
        for (const chosen of passes) {
          const reads = chosen.map((version, position) => ({ position, version }));
          // Another version of a position, one more and one less are all changes; the same again is none.
          expect(rows.assemble(reads)).toBe(chosen.join() !== before);
          before = chosen.join();
          for (const layer of [0, 1])
            for (const [part, mark] of [
              ['k', 0],
              ['v', 1],
            ] as const)
              expect([...rows.values(layer, part)]).toEqual(
                reads.flatMap(({ position, version }) => [value(position, version, layer), mark]),
              );
        }
        rows.clear();
        expect([...rows.values(0, 'k')]).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

describe('the rows of a pass', () => {
  it('are told apart by their positions, and there are as many layers as the store has', () => {
    const store = new KvStore(1, WIDTH);
    store.put([0, 1], 1, { k: [Float32Array.of(1, 2, 3, 4)], v: [Float32Array.of(5, 6, 7, 8)] });
    const rows = new PrefixRows(store);
    expect(rows.assemble([{ position: 0, version: 1 }])).toBe(true);
    expect(rows.assemble([{ position: 0, version: 1 }])).toBe(false);
    // Computed by the same pass, and another row all the same.
    expect(rows.assemble([{ position: 1, version: 1 }])).toBe(true);
    expect([...rows.values(0, 'k'), ...rows.values(0, 'v')]).toEqual([3, 4, 7, 8]);
    expect(() => rows.values(1, 'k')).toThrow('no layer 1');
  });
});

describe('recorded margins', () => {
  const config = tinyConfig();
  const rowsOf: readonly (readonly number[])[] = [
    [1, 5, 3, 0.5],
    [5, 3, 1, 0.5],
    [3, 5, 1, 0.5],
    [3, 3, 1, 0.5],
  ];
  const margins = async (maskId: number | null) => {
    const engine: Engine = {
      name: 'said',
      config: { ...config, vocab: 4, maskId },
      run: async () => ({ logits: Float32Array.from(rowsOf.flat()) }),
      retain: () => {},
      readKv: () => ({ k: [], v: [] }),
      dispose: () => {},
    };
    const recorder = recordMargins(engine);
    await recorder.engine.run({ id: '3.0', logits: [4, 5, 6, 7] } as unknown as Pass);
    return recorder.margins.get('3.0');
  };

  it('are from the best to the second best, in whatever order they stand', async () => {
    expect(await margins(null)).toEqual([2, 2, 2, 0]);
  });

  it('leave the mask out', async () => {
    expect(await margins(0)).toEqual([2, 2, 4, 2]);
  });

  it('come from an engine that is asked as before', async () => {
    const asked: unknown[] = [];
    const of = (name: string) => (what?: unknown) => {
      asked.push([name, what]);
      return name;
    };
    const own = { name: 'own', config, run: of('run'), retain: of('retain'), readKv: of('readKv') };
    const { engine } = recordMargins({ ...own, dispose: of('dispose') } as unknown as Engine);
    expect([engine.name, engine.config]).toEqual(['own', config]);
    const ref = { position: 1, version: 2 };
    expect(engine.readKv(ref)).toBe('readKv');
    engine.retain([ref]);
    engine.dispose();
    expect(asked).toEqual([
      ['readKv', ref],
      ['retain', [ref]],
      ['dispose', undefined],
    ]);
  });
});
