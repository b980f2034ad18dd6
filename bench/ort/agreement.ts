import { join } from 'node:path';
import { createOrtEngine } from '../../src/engine/ort/engine.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import type { ModelConfig } from '../../src/model/config.js';
import { writeModelGguf } from '../../src/model/formats/convert.js';
import { openGguf } from '../../src/model/formats/gguf-source.js';
import { syntheticShapes } from '../../src/model/synthetic/shapes.js';
import { syntheticWeights } from '../../src/model/synthetic/weights.js';
import { formatTable } from '../../src/util/table.js';
import { llamaMissing, loadLlama } from '../../test/oracle/libllama.js';
import { agreement, columns, denoise, directory, THREADS } from './common.js';

const ROWS = 32;

/**
 * Differences of the logits of a synthetic LLaDA of 8 layers and 512 channels between `ort` in both kinds of compute, the
 * f32 reference on dequantised weights, and llama.cpp, which rounds activations to 8 bits when weights are quantised.
 */
export async function agreementTable(): Promise<string> {
  const shapes = syntheticShapes('llada', '1b');
  const config: ModelConfig = {
    ...shapes,
    name: 'agreement',
    layers: 8,
    hidden: 512,
    heads: 8,
    kvHeads: 8,
    headDim: 64,
    ffn: 1536,
    vocab: 4096,
    maskId: 5,
    bosId: 0,
    endIds: [1],
  };
  const none = new Map([['tokenizer.ggml.model', { type: 'string', value: 'none' } as const]]);
  const body: string[][] = [];
  for (const quant of ['f32', 'q8_0', 'q4_0'] as const) {
    const path = join(directory, `agreement-${quant}.gguf`);
    await writeModelGguf(config, syntheticWeights(config, quant, 1), path, quant, none);
    const model = await openGguf(path);
    const asked = () => denoise(ROWS, ROWS, config.vocab);
    const reference = await createTfjsEngine(model.config, model.weights);
    const expected = (await reference.run(asked())).logits.slice();
    reference.dispose();
    const llama =
      llamaMissing === null
        ? (await loadLlama()).open(path, { threads: THREADS }).logits(asked().rows.map(({ feed }) => feed))
        : null;
    const cell = (logits: Float32Array, other: Float32Array | null) => {
      if (other === null) return '-';
      const { worst, same, rows } = agreement(logits, other, config.vocab);
      return `${worst.toExponential(1)}, ${same}/${rows}`;
    };
    for (const compute of quant === 'f32' ? (['f32'] as const) : (['f32', 'int8'] as const)) {
      const engine = await createOrtEngine(model.config, model.weights, { threads: THREADS, compute });
      const logits = (await engine.run(asked())).logits.slice();
      engine.dispose();
      body.push([`ort ${compute}, ${quant}`, cell(logits, expected), cell(logits, llama)]);
    }
    body.push([`llama.cpp, ${quant}`, llama === null ? '-' : cell(llama, expected), '']);
    await model.weights.close();
  }
  return formatTable(
    columns(['max |difference|, same best token', 'to f32 reference', 'to llama.cpp']),
    body,
  );
}
