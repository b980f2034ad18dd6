import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { composePolicy } from '../../src/decode/method/compose.js';
import { decode } from '../../src/decode/method/session.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { createOrtEngine } from '../../src/engine/ort/engine.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import { openGguf } from '../../src/model/formats/gguf-source.js';
import { loadModel } from '../../src/model/load.js';
import { encodePrompt } from '../../src/model/prompt.js';
import { generateProblem } from '../../src/score/problems.js';
import { llamaMissing, loadLlama } from '../oracle/libllama.js';

const GGUF = join(dirname(fileURLToPath(import.meta.url)), '../../models/tiny-llada/tiny-llada-f32.gguf');
const PROBLEMS = process.env.DLLM_FUZZ_RUNS === undefined ? 2 : 40;

if (llamaMissing !== null) process.stderr.write(`skipped: decoding oracle, 1 test: ${llamaMissing}\n`);

/**
 * LLaDA's published loop on logits of libllama, with nothing of src/decode: quotas per block, the most confident masks
 * first, lower positions first among equals.
 */
function published(
  logitsOf: (ids: readonly number[]) => Float32Array,
  vocab: number,
  mask: number,
  prompt: readonly number[],
  { length, block, steps }: { length: number; block: number; steps: number },
): number[] {
  const x = [...prompt, ...Array.from({ length }, () => mask)];
  for (let start = prompt.length; start < x.length; start += block) {
    for (let step = 0; step < steps; step++) {
      const logits = logitsOf(x);
      const masked: { position: number; token: number; confidence: number }[] = [];
      for (let position = start; position < start + block; position++) {
        if (x[position] !== mask) continue;
        const row = logits.subarray(position * vocab, (position + 1) * vocab);
        let token = mask === 0 ? 1 : 0;
        for (let id = 0; id < vocab; id++) if (id !== mask && row[id]! > row[token]!) token = id;
        const sum = row.reduce((total, value) => total + Math.exp(value - row[token]!), 0);
        masked.push({ position, token, confidence: 1 / sum });
      }
      masked.sort((a, b) => b.confidence - a.confidence || a.position - b.position);
      const due = Math.floor(block / steps) + (step < block % steps ? 1 : 0);
      for (const { position, token } of masked.slice(0, due)) x[position] = token;
    }
  }
  return x.slice(prompt.length);
}

describe.skipIf(llamaMissing !== null)('LLaDA decoding on the shipped GGUF', () => {
  it('has the tokens of the published rule on logits of libllama, with both engines', async () => {
    const oracle = (await loadLlama()).open(GGUF, { tokens: 256 });
    const shipped = await loadModel('tiny-llada');
    const { config, weights } = await openGguf(GGUF);
    const engines = [await createTfjsEngine(config, weights), await createOrtEngine(config, weights)];
    try {
      const shape = { length: 64, block: 32 };
      for (let index = 0; index < PROBLEMS; index++) {
        const { prompt } = generateProblem(1, index, 'long', 'heldout');
        if (shipped.tokenizer === null) throw new Error('the shipped model has a tokenizer');
        const promptIds = encodePrompt(shipped.tokenizer, prompt);
        for (const steps of [32, 12]) {
          const expected = published(oracle.logits, config.vocab, config.maskId ?? -1, promptIds, {
            ...shape,
            steps,
          });
          const policy = composePolicy({
            ...policySpecByName('llada'),
            commit: { kind: 'quota', stepsPerBlock: steps },
          });
          for (const engine of engines) {
            const { tokens } = await decode({ policy, engine, promptIds, genLength: shape.length });
            expect(tokens, `${engine.name}, problem ${index}, ${steps} steps`).toEqual(expected);
          }
        }
      }
    } finally {
      for (const engine of engines) engine.dispose();
      oracle.close();
      await weights.close();
      await shipped.weights.close();
    }
  });
});
