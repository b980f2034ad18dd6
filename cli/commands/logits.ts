import { z } from 'zod';
import type { EngineName } from '../../src/engine/registry.js';
import { loadModel } from '../../src/model/load.js';
import { inBlocks } from '../../src/pass/groups.js';
import type { Pass } from '../../src/pass/pass.js';
import { atomicWriteFile } from '../../src/util/atomic-write.js';
import { checkWritableFile } from '../../src/util/check-writable.js';
import { defineCommand } from '../command.js';
import { engine, engineEffects, flag } from '../groups.js';
import { openEngine } from '../open-engine.js';
import { checkIds, tokenIds } from '../token-ids.js';

export const command = defineCommand({
  options: {
    model: z.string().describe('shipped model, directory or .gguf file'),
    ids: tokenIds.describe('token ids: 1,2,3'),
    causal: flag('a position sees itself and earlier ones (default: what the model was trained for)'),
    out: z.string().describe('file to write, [positions, vocabulary], little-endian').meta({ value: 'file' }),
    ...engine,
  },
  effects: engineEffects((input: { readonly engine: EngineName }) => [input.engine]),
  examples: ['logits --model llada-8b.gguf --ids 126080,3,7 --engine ort --threads 2 --out logits.f32'],
  async run(ctx, { model: name, ids, causal: asked, out, ...settings }) {
    checkWritableFile(out);
    const model = await loadModel(name);
    try {
      const { config } = model;
      checkIds(config, ids);
      const running = await openEngine(ctx, model, settings);
      try {
        const began = performance.now();
        const causal = asked || config.attention === 'causal';
        const whole: Pass = {
          id: '0.0',
          kind: 'denoise',
          lane: 'main',
          version: 0,
          reads: [],
          rows: ids.map((feed, position) => ({ position, feed })),
          visibility: causal ? 'causal' : 'all',
          logits: ids.map((_, row) => row),
        };
        const { blockLength } = config;
        const { logits } = await running.run(
          causal || blockLength === undefined ? whole : inBlocks(whole, blockLength),
        );
        const seconds = (performance.now() - began) / 1000;
        const best = ids.map((_, row) =>
          argmax(logits.subarray(row * config.vocab, (row + 1) * config.vocab)),
        );
        atomicWriteFile(out, new Uint8Array(logits.buffer, logits.byteOffset, logits.byteLength));
        const shape = [ids.length, config.vocab];
        const facts = { path: out, shape, dtype: 'float32', model: config.name, engine: running.name };
        ctx.data({ ...facts, causal, best, seconds });
        ctx.print(`${out}: [${shape.join(', ')}] float32, best ids ${best.join(',')}`);
      } finally {
        running.dispose();
      }
    } finally {
      await model.weights.close();
    }
  },
});

/** Index of the largest value; the lowest of equals. */
function argmax(row: Float32Array): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i]! > row[best]!) best = i;
  return best;
}
