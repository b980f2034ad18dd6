import { expect, it } from 'vitest';
import { listDevices } from '../../../src/engine/ggml/devices.js';
import { createGgmlEngine } from '../../../src/engine/ggml/engine.js';
import { loadGgml } from '../../../src/engine/ggml/library.js';
import { hasGgml } from '../../../src/engine/ggml/package.js';
import { createTfjsEngine } from '../../../src/engine/tfjs/engine.js';
import { denoisePass, randomRows } from '../../support/passes.js';
import { randomWeights, tinyConfig } from '../../support/tiny-model.js';

const others = hasGgml() ? listDevices(loadGgml()).filter(({ type }) => type !== 'cpu') : [];
if (others.length === 0) {
  process.stderr.write(
    'skipped: a second device of ggml, 1 test: none here (with @node-llama-cpp/linux-x64-vulkan and a software driver: GGML_VK_VISIBLE_DEVICES=0)\n',
  );
}

/** Kernels of GPUs round to halves inside attention; llvmpipe of Mesa 22.3 was off by 0.005. */
const BOUND = 0.02;

/** A software driver compiles every kernel anew. */
const TIMEOUT_MS = 600_000;

it.skipIf(others.length === 0)(
  'devices beside the CPU give the logits of the reference, and say what ran where',
  async () => {
    const moe = { experts: 8, expertsPerToken: 3, expertFfn: 32, renormalise: false };
    for (const { name } of others) {
      for (const overrides of [{}, { qkvBias: true, headDim: 64, heads: 2, kvHeads: 1 }, { moe }]) {
        const config = tinyConfig(overrides);
        const weights = randomWeights(config);
        const engines = [
          await createTfjsEngine(config, weights),
          await createGgmlEngine(config, weights, { device: name }),
        ] as const;
        const prefix = denoisePass(0, randomRows(config, 5, 1), { logits: [] });
        const reads = prefix.rows.map(({ position }) => ({ position, version: 0 }));
        const asked = denoisePass(1, randomRows(config, 7, 3, 5), { reads });
        const logits: Float32Array[] = [];
        for (const engine of engines) {
          await engine.run(prefix);
          logits.push((await engine.run(asked)).logits);
        }
        const worst = logits[1].reduce((most, x, i) => Math.max(most, Math.abs(x - logits[0][i])), 0);
        expect(worst).toBeLessThan(BOUND);
        const ran = engines[1].ranOn?.();
        expect(ran?.device).toBe(name);
        expect(ran?.operators).toBeGreaterThan(50);
        for (const engine of engines) engine.dispose();
      }
    }
  },
  TIMEOUT_MS,
);
