import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { factsOf } from '../../src/decode/parts.js';
import { ALL_POLICY_SPECS, policySpecByName } from '../../src/decode/policies.js';
import { parsePolicySpec } from '../../src/decode/spec.js';
import { createOrtEngine } from '../../src/engine/ort/engine.js';
import { useBackend } from '../../src/engine/tfjs/backend.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import { openGguf } from '../../src/model/formats/gguf-source.js';
import { loadModel } from '../../src/model/load.js';
import { encodePrompt } from '../../src/model/prompt.js';
import { generateProblem } from '../../src/score/problems.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { followed } from './follow.js';
import { llamaMissing, loadLlama } from './libllama.js';
import { LlamaForward } from './llama-forward.js';
import { CASES, schedules } from './plain-cases.js';
import { randomConfig, writeRandomGguf } from './random-models.js';

const GGUF = join(dirname(fileURLToPath(import.meta.url)), '../../models/tiny-llada/tiny-llada-f32.gguf');
const FUZZ = process.env.DLLM_FUZZ_RUNS !== undefined;

if (llamaMissing !== null) process.stderr.write(`skipped: loops over llama.cpp, 20 tests: ${llamaMissing}\n`);

/** Policies whose every row sees the whole canvas, or what is left of it: masks that llama.cpp has. */
const ASKABLE = ALL_POLICY_SPECS.filter((spec) => {
  const { window, cache, revoke } = parsePolicySpec(spec);
  return (
    window.kind === 'next' ||
    (window.kind === 'canvas' &&
      revoke.kind === 'none' &&
      (typeof cache === 'string' ? cache : cache.kind) === 'none')
  );
}).map(({ name }) => name);

describe('loops over llama.cpp', () => {
  it('are those of the policies that show the whole canvas, and of next-token decoding', () => {
    expect(ASKABLE.filter((name) => !(name in CASES))).toEqual([]);
    expect(ASKABLE).toEqual(
      expect.arrayContaining(['llada', 'llada-cfg', 'dream', 'multi-block', 'autoregressive']),
    );
    expect(ASKABLE).toHaveLength(19);
  });
});

describe.skipIf(llamaMissing !== null)('a policy is its published loop on logits of llama.cpp', () => {
  it.each(ASKABLE)('%s', async (name) => {
    await useBackend('cpu');
    const directory = temporaryDirectory();
    const llama = await loadLlama();
    await fc.assert(
      fc.asyncProperty(schedules, async (schedule) => {
        const causal = !factsOf(parsePolicySpec(policySpecByName(name))).window.masks;
        const arch = causal ? 'llama' : schedule.shift ? 'dream' : 'llada';
        const { path } = await writeRandomGguf(randomConfig(arch, schedule.model), schedule.model, directory);
        const oracle = llama.open(path);
        const { config, weights } = await openGguf(path);
        const engine = await createTfjsEngine(config, weights, { backend: 'cpu' });
        try {
          const model = new LlamaForward(config, oracle);
          const { tokens, answer, rows } = await followed(name, schedule, engine, model);
          expect(answer).toEqual(tokens);
          expect(rows).toBeGreaterThan(0);
        } finally {
          engine.dispose();
          oracle.close();
          await weights.close();
          rmSync(path);
        }
      }),
      { numRuns: FUZZ ? 100 : 2 },
    );
  });

  it('llada on the shipped GGUF, with both engines', async () => {
    await useBackend('wasm');
    const oracle = (await loadLlama()).open(GGUF, { tokens: 256 });
    const { tokenizer, weights: unused } = await loadModel('tiny-llada');
    const { config, weights } = await openGguf(GGUF);
    const engines = [await createTfjsEngine(config, weights), await createOrtEngine(config, weights)];
    try {
      if (tokenizer === null) throw new Error('the shipped model has a tokenizer');
      for (let index = 0; index < (FUZZ ? 40 : 1); index++) {
        const promptIds = encodePrompt(tokenizer, generateProblem(1, index, 'long', 'heldout').prompt);
        for (const share of FUZZ ? [32, 12] : [4]) {
          const [anything] = fc.sample(schedules, { numRuns: 1, seed: 1 });
          // Neither of the two settings for the token that ends a text.
          const schedule = {
            ...anything,
            promptIds,
            blockLength: 32,
            blocks: 2,
            share,
            trigger: 1,
            maxRows: 1,
          };
          for (const engine of engines) {
            const { tokens, answer } = await followed(
              'llada',
              schedule,
              engine,
              new LlamaForward(config, oracle),
            );
            expect(answer, `${engine.name}, problem ${index}, ${share} steps`).toEqual(tokens);
          }
        }
      }
    } finally {
      for (const engine of engines) engine.dispose();
      oracle.close();
      await weights.close();
      await unused.close();
    }
  });
});
