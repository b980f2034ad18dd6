import { afterAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import { availableBackend } from '../../src/engine/tfjs/node-backend.js';
import { syntheticShapes } from '../../src/model/synthetic/shapes.js';
import { syntheticWeights } from '../../src/model/synthetic/weights.js';
import type { Pass } from '../../src/pass/pass.js';

const built = Boolean(process.env.DLLM_NPU_TFJS_NODE);
if (!built)
  console.warn('skipped: tfjs on TensorFlow (node tools/tfjs-node/build.mjs, then DLLM_NPU_TFJS_NODE=DIR)');

/** TensorFlow's C library against wasm. Where it was not built, these are counted as skipped. */
describe.skipIf(!built)('tfjs engine on TensorFlow', () => {
  const engines: Engine[] = [];
  afterAll(() => {
    for (const engine of engines) engine.dispose();
  });

  it.each(['llada', 'dream', 'llada-moe', 'llama'])('agrees with wasm: %s', async (arch) => {
    const notes: string[] = [];
    const backend = await availableBackend('node', (line) => notes.push(line));
    expect(notes).toEqual([]);
    expect(backend).toBe('node');
    const config = syntheticShapes(arch, 'tiny');
    const weights = syntheticWeights(config, 'f32', 4);
    const causal = config.attention === 'causal';
    const results: { prefix: Float32Array; logits: Float32Array }[] = [];
    for (const name of ['wasm', backend] as const) {
      const engine = await createTfjsEngine(config, weights, { backend: name });
      expect(engine.name).toBe(`tfjs-${name}`);
      engines.push(engine);
      const pass = (version: number, start: number, count: number, rest: Partial<Pass>): Pass => ({
        id: `${version}.0`,
        kind: 'denoise',
        lane: 'main',
        version,
        reads: [],
        rows: Array.from({ length: count }, (_, i) => ({
          position: start + i,
          feed: (37 * (start + i)) % 500,
        })),
        visibility: causal ? 'causal' : 'all',
        logits: Array.from({ length: count }, (_, i) => i),
        ...rest,
      });
      const prefix = (await engine.run(pass(1, 0, 6, {}))).logits.slice();
      const reads = [0, 1, 2, 3, 4, 5].map((position) => ({ position, version: 1 }));
      const logits = (await engine.run(pass(2, 6, 9, { reads, logits: [8, 0, 3] }))).logits.slice();
      results.push({ prefix, logits });
    }
    const [wasm, node] = results as [(typeof results)[0], (typeof results)[0]];
    for (const part of ['prefix', 'logits'] as const) {
      expect(node[part]).toHaveLength(wasm[part].length);
      const largest = wasm[part].reduce((worst, x) => Math.max(worst, Math.abs(x)), 0);
      expect(largest).toBeGreaterThan(1);
      const worst = wasm[part].reduce((max, x, i) => Math.max(max, Math.abs(x - node[part][i]!)), 0);
      expect(worst).toBeLessThan(1e-4);
    }
  });
});
