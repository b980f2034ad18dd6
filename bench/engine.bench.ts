/**
 * Forward passes of the reference engine on a model of tiny-llada's size (about a million parameters).
 * Goals: under 15 ms for 32 rows, under 35 ms for the full canvas, on one core.
 */
import { bench, describe } from 'vitest';
import { createNpuNumericsEngine } from '../src/engine/npu-numerics/engine.js';
import { createTfjsEngine } from '../src/engine/tfjs/engine.js';
import { buildGraph } from '../src/model/build-graph.js';
import { parameterCount } from '../src/model/closed-forms.js';
import { graphFor } from '../src/model/graph-cache.js';
import { precisionFor } from '../src/model/precision.js';
import { resolvePreset } from '../src/model/presets.js';
import type { Pass, PassRow } from '../src/pass/pass.js';
import { denoisePass } from '../test/support/passes.js';
import { randomWeights, tinyConfig } from '../test/support/tiny-model.js';

const config = tinyConfig({
  name: 'bench',
  layers: 4,
  hidden: 128,
  headDim: 32,
  ffn: 384,
  vocab: 384,
});
const weights = randomWeights(config);

const rowsOf = (start: number, count: number): PassRow[] =>
  Array.from({ length: count }, (_, i) => ({ position: start + i, feed: (7 * i) % config.vocab }));

let version = 0;
function pass(rows: PassRow[], rest: Partial<Pass> = {}): Pass {
  version++;
  return denoisePass(version, rows, rest);
}

const engine = await createTfjsEngine(config, weights, { backend: 'wasm' });
const prefix = pass(rowsOf(0, 150), { kind: 'prefill', logits: [] });
await engine.run(prefix);
const reads = prefix.rows.map(({ position }) => ({ position, version: prefix.version }));
const llada = resolvePreset('llada-8b');
const shape = { rows: 32, kvSets: [{ name: 'prefix', length: 96 }], logitsRows: 32, masked: false };

const TIMES = { time: 2000, warmupTime: 500 };

describe(`reference engine, ${(parameterCount(config).total / 1e6).toFixed(2)} M parameters, one thread`, () => {
  bench(
    '32 rows, 150 cached',
    async () => {
      await engine.run(pass(rowsOf(150, 32), { reads }));
      engine.retain(reads);
    },
    TIMES,
  );
  bench(
    '8 rows, 150 cached',
    async () => {
      await engine.run(pass(rowsOf(150, 8), { reads }));
      engine.retain(reads);
    },
    TIMES,
  );
  bench(
    'full canvas, 220 rows',
    async () => {
      await engine.run(pass(rowsOf(0, 220)));
      engine.retain(reads);
    },
    TIMES,
  );
});

describe('operator graph of LLaDA-8B, 32 rows', () => {
  bench('build', () => {
    buildGraph(llada, shape, precisionFor('q4_0'));
  });
  bench('look up', () => {
    graphFor(llada, shape, precisionFor('q4_0'));
  });
});

const npu = await createNpuNumericsEngine(config, weights);

describe("npu-numerics engine, the NPU's arithmetic in plain loops", () => {
  for (const rows of [32, 220]) {
    bench(
      `${rows} rows, nothing cached`,
      async () => {
        await npu.run(pass(rowsOf(0, rows)));
        npu.retain([]);
      },
      TIMES,
    );
  }
});
