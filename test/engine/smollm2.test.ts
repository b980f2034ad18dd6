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
/** Of 100; `npm run fuzz` takes them all. */
const PROMPTS = process.env.DLLM_FUZZ_RUNS === undefined ? 2 : 100;
const TOKENS = 12;

const ASKED = ['What is', 'Tell me about', 'Write a sentence about', 'Explain', 'Who knows'];
const THINGS = [
  ...['the capital of France', 'rain', 'the number seven', 'a lighthouse', 'bread', 'the Moon', 'chess'],
  ...['iron', 'a good friend', 'the colour blue', 'winter', 'photosynthesis', 'a bicycle', 'the sea', 'maps'],
  ...['coffee', 'gravity', 'a library', 'music', 'time'],
];
const prompt = (index: number) =>
  `<|im_start|>user\n${ASKED[index % 5]} ${THINGS[Math.floor(index / 5) % 20]}?<|im_end|>\n<|im_start|>assistant\n`;

/** Greedy next tokens up to an end token. */
function greedy(llama: LlamaModel, ids: readonly number[], ends: readonly number[]): number[] {
  const tokens: number[] = [];
  while (tokens.length < TOKENS && !ends.includes(tokens.at(-1) ?? -1)) {
    const all = [...ids, ...tokens];
    const logits = llama.logits(all).subarray((all.length - 1) * llama.vocab);
    tokens.push(logits.reduce((best, value, id) => (value > logits[best] ? id : best), 0));
  }
  return tokens;
}

// Longer than 20 s on a busy machine: 135 million parameters in f32, in JavaScript and in libllama.
describe.skipIf(llamaMissing !== null || !existsSync(path))('SmolLM2-135M-Instruct, Q4_1', () => {
  // On the same weights in f32: by Q4_1 llama.cpp rounds activations to 8 bits, and this project does not.
  it(
    `gives libllama's greedy tokens over ${PROMPTS} prompts`,
    async () => {
      const model = await loadModel(path);
      const wide = join(temporaryDirectory(), 'f32.gguf');
      await writeModelGguf(
        model.config,
        model.weights,
        wide,
        'f32',
        textToGguf(model.text, model.config.vocab),
      );
      const llama = (await loadLlama()).open(wide, { tokens: 64, threads: 2 });
      const engine = await createOrtEngine(model.config, model.weights);
      const policy = policyByName('autoregressive');
      for (let index = 0; index < PROMPTS; index++) {
        const promptIds = model.tokenizer!.encode(prompt(index));
        expect(promptIds).toEqual(llama.tokenize(prompt(index)));
        const expected = greedy(llama, promptIds, model.config.endIds);
        const { tokens } = await decode({ policy, engine, promptIds, genLength: TOKENS });
        expect(tokens.slice(0, expected.length), prompt(index)).toEqual(expected);
      }
      engine.dispose();
      llama.close();
      await model.weights.close();
    },
    60_000 * (1 + PROMPTS),
  );
});
