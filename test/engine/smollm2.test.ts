import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decode } from '../../src/decode/method/session.js';
import { policyByName } from '../../src/decode/policies.js';
import { createOrtEngine } from '../../src/engine/ort/engine.js';
import { writeModelGguf } from '../../src/model/formats/convert.js';
import { textToGguf } from '../../src/model/formats/gguf-text.js';
import { loadModel } from '../../src/model/load.js';
import { cacheDirectory } from '../../src/util/cache-directory.js';
import { type LlamaModel, llamaMissing, loadLlama } from '../oracle/libllama.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** Where `models fetch smollm2` puts it. */
const path = join(cacheDirectory(), 'models/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf');
/** Of 100, tokens behind each, and layers of 30; `npm run fuzz` takes them all. */
const [PROMPTS, TOKENS, LAYERS] = process.env.DLLM_FUZZ_RUNS === undefined ? [2, 8, 8] : [100, 12, 30];

const ASKED = ['What is', 'Tell me about', 'Write a sentence about', 'Explain', 'Who knows'];
const THINGS = [
  ...['the capital of France', 'rain', 'the number seven', 'a lighthouse', 'bread', 'the Moon', 'chess'],
  ...['iron', 'a good friend', 'the colour blue', 'winter', 'photosynthesis', 'a bicycle', 'the sea', 'maps'],
  ...['coffee', 'gravity', 'a library', 'music', 'time'],
];
const prompt = (index: number) =>
  `<|im_start|>user\n${ASKED[index % 5]} ${THINGS[Math.floor(index / 5) % 20]}?<|im_end|>\n<|im_start|>assistant\n`;

/** What libllama finds likeliest behind the prompt and behind each of these tokens, in one pass: rows see only what is before them. */
function likeliest(llama: LlamaModel, ids: readonly number[], tokens: readonly number[]): number[] {
  const logits = llama.logits([...ids, ...tokens.slice(0, -1)]);
  return tokens.map((_, at) => {
    const row = logits.subarray((ids.length - 1 + at) * llama.vocab, (ids.length + at) * llama.vocab);
    return row.reduce((best, value, id) => (value > row[best] ? id : best), 0);
  });
}

// Longer than 20 s on a busy machine: 135 million parameters in f32, in JavaScript and in libllama.
describe.skipIf(llamaMissing !== null || !existsSync(path))('SmolLM2-135M-Instruct, Q4_1', () => {
  // On the same weights in f32: by Q4_1 llama.cpp rounds activations to 8 bits, and this project does not.
  it(
    `gives libllama's greedy tokens (${PROMPTS} of 100 prompts, ${LAYERS} of 30 layers)`,
    async () => {
      const model = await loadModel(path);
      const config = { ...model.config, layers: LAYERS };
      const wide = join(temporaryDirectory(), 'f32.gguf');
      await writeModelGguf(config, model.weights, wide, 'f32', textToGguf(model.text, config.vocab));
      const llama = (await loadLlama()).open(wide, { tokens: 64, threads: 2 });
      const engine = await createOrtEngine(config, model.weights);
      const policy = policyByName('autoregressive');
      for (let index = 0; index < PROMPTS; index++) {
        const promptIds = model.tokenizer!.encode(prompt(index));
        expect(promptIds).toEqual(llama.tokenize(prompt(index)));
        const { tokens } = await decode({ policy, engine, promptIds, genLength: TOKENS });
        const end = tokens.findIndex((token) => config.endIds.includes(token));
        const said = tokens.slice(0, end < 0 ? TOKENS : end + 1);
        expect(said, prompt(index)).toEqual(likeliest(llama, promptIds, said));
      }
      engine.dispose();
      llama.close();
      await model.weights.close();
    },
    60_000 * (1 + PROMPTS),
  );
});
