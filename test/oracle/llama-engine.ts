import type { Engine } from '../../src/engine/engine.js';
import type { ModelConfig } from '../../src/model/config.js';
import type { LlamaModel } from './libllama.js';

/** llama.cpp behind the Engine interface, for passes over the whole canvas without cached KV. */
export function llamaEngine(config: ModelConfig, model: LlamaModel): Engine {
  return {
    name: 'libllama',
    config,
    run: async (pass) => {
      if (pass.reads.length > 0 || pass.rows.some(({ position }, row) => position !== row)) {
        throw new Error('the oracle runs whole canvases only');
      }
      const all = model.logits(pass.rows.map((row) => row.feed));
      const { vocab } = model;
      const logits = new Float32Array(pass.logits.length * vocab);
      pass.logits.forEach((row, i) => {
        logits.set(all.subarray(row * vocab, (row + 1) * vocab), i * vocab);
      });
      return { logits };
    },
    retain: () => {},
    readKv: () => {
      throw new Error('the oracle keeps no KV');
    },
    dispose: () => {},
  };
}
