import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createGgmlEngine } from '../../../src/engine/ggml/engine.js';
import { hasGgml } from '../../../src/engine/ggml/package.js';
import { takeRowsEarly } from '../../../src/engine/ggml/rows-early.js';
import { buildGraph } from '../../../src/model/build-graph.js';
import { ARCHITECTURES } from '../../../src/model/families/index.js';
import { precisionFor } from '../../../src/model/precision.js';
import { arbitraryConfig } from '../../support/arbitrary-config.js';
import { denoisePass, randomRows } from '../../support/passes.js';
import { randomWeights, tinyConfig } from '../../support/tiny-model.js';

const F32 = precisionFor('f32');
const shape = (rows: number, logitsRows: number) => ({ rows, logitsRows, kvSets: [], masked: false });

it('behind the last attention only rows with logits are computed', () => {
  const config = tinyConfig({ layers: 3 });
  const whole = buildGraph(config, shape(12, 2), F32);
  const { ops } = takeRowsEarly(whole);
  const rowsOf = Object.fromEntries(ops.map(({ id, rows }) => [id, rows]));
  for (const name of [
    'attn_output',
    'attn_residual',
    'ffn_norm',
    'ffn_gate',
    'ffn_up',
    'ffn_swiglu',
    'ffn_down',
  ]) {
    expect(rowsOf[`blk.2.${name}`], name).toBe(2);
    expect(rowsOf[`blk.1.${name}`], name).toBe(12);
  }
  for (const name of ['attn_norm', 'attn_q', 'attn_k', 'attn_v', 'attn'])
    expect(rowsOf[`blk.2.${name}`], name).toBe(12);
  const macs = (id: string, of = ops) => of.find((op) => op.id === id)?.macs;
  expect(macs('blk.2.ffn_up')).toBe(macs('blk.1.ffn_up')! / 6);
  expect(macs('logits')).toBe(macs('logits', [...whole.ops]));
});

it('a pass with logits of all rows or of none stays as it is', () => {
  for (const logitsRows of [0, 12]) {
    const whole = buildGraph(tinyConfig(), shape(12, logitsRows), F32);
    expect(takeRowsEarly(whole).ops).toBe(whole.ops);
  }
});

it('every family stays in order: whatever an operator reads is there, with as many rows', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...ARCHITECTURES).chain((arch) => arbitraryConfig(arch)),
      fc.integer({ min: 2, max: 9 }),
      fc.integer({ min: 1, max: 8 }),
      (config, rows, logitsRows) => {
        fc.pre(logitsRows < rows);
        const whole = buildGraph(config, shape(rows, logitsRows), F32);
        const { ops, logits } = takeRowsEarly(whole);
        const written = new Map<string, number>();
        for (const op of ops) {
          for (const id of op.inputs) {
            const known = written.get(id);
            const isActivation = whole.tensors.get(id)?.producer !== null;
            if (isActivation) expect(known, `${op.id} reads ${id}`).toBeDefined();
            if (known !== undefined && op.kind !== 'gather-rows') expect([1, op.rows]).toContain(known);
          }
          for (const id of op.outputs) written.set(id, op.rows);
        }
        expect(written.get(logits!)).toBe(logitsRows);
        expect(ops.filter(({ kind }) => kind === 'gather-rows').length).toBeGreaterThan(0);
      },
    ),
  );
});

it.skipIf(!hasGgml())('logits of a few rows are those of the whole pass', async () => {
  const config = tinyConfig({ layers: 3 });
  const engine = await createGgmlEngine(config, randomWeights(config), { threads: 1 });
  const rows = randomRows(config, 12, 3);
  const all = (await engine.run(denoisePass(0, rows))).logits.slice();
  for (const [version, logits] of [[7], [11, 0, 4]].entries()) {
    engine.retain([]);
    const some = (await engine.run(denoisePass(version + 1, rows, { logits }))).logits;
    logits.forEach((row, index) => {
      for (let id = 0; id < config.vocab; id++)
        expect(some[index * config.vocab + id]).toBeCloseTo(all[row * config.vocab + id]!, 5);
    });
  }
  engine.dispose();
});
