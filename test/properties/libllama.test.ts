import { rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { composePolicy } from '../../src/decode/compose.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { type DecodeResult, decode } from '../../src/decode/session.js';
import type { StepRecord } from '../../src/decode/step-record.js';
import type { Engine } from '../../src/engine/engine.js';
import { createOrtEngine } from '../../src/engine/ort/engine.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import { openGguf } from '../../src/model/formats/gguf-source.js';
import { Random } from '../../src/train/random.js';
import { temporaryDirectory } from '../model/checkpoint.js';
import { llamaMissing, loadLlama } from '../oracle/libllama.js';
import { llamaEngine } from '../oracle/llama-engine.js';
import { randomConfig, writeRandomGguf } from '../oracle/random-models.js';

const ARCHITECTURES = ['llada', 'dream', 'llada-moe'] as const;
/** Random models per architecture; `npm run fuzz` takes more. */
const MODELS = process.env.DLLM_FUZZ_RUNS === undefined ? 7 : 67;

/** A difference of confidence that the last bits of an f32 explain. */
const NEAR_TIE = 1e-6;

if (llamaMissing !== null) {
  process.stderr.write(`skipped: parity with llama.cpp, 4 tests: ${llamaMissing}\n`);
}

async function logitsOf(engine: Engine, ids: readonly number[]): Promise<Float32Array> {
  engine.retain([]);
  const { logits } = await engine.run({
    ...{ id: '0.0', kind: 'denoise', lane: 'main', version: 0, reads: [] },
    rows: ids.map((feed, position) => ({ position, feed })),
    visibility: 'all',
    logits: ids.map((_, row) => row),
  });
  return logits.slice();
}

function maxDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);
}

/**
 * Null when two decodes gave the same tokens; else how far apart the first one's confidences were in the two choices
 * at the first step that differs.
 */
function firstDivergence(a: DecodeResult, b: DecodeResult): number | null {
  if (a.tokens.join() === b.tokens.join()) return null;
  const choice = (step: StepRecord | undefined) => step?.transitions.find((t) => t.reason === 'commit');
  for (const [index, step] of a.steps.entries()) {
    const [mine, theirs] = [choice(step), choice(b.steps[index])];
    if (mine?.position === theirs?.position && mine?.token === theirs?.token) continue;
    const confidence = (position: number | undefined) =>
      step.outcomes[0]?.rows.find((row) => row.position === position)?.confidence ?? Number.NaN;
    return Math.abs(confidence(mine?.position) - confidence(theirs?.position));
  }
  return Number.NaN;
}

function argmax(row: Float32Array): number {
  return row.reduce((best, value, i) => (value > row[best]! ? i : best), 0);
}

describe.skipIf(llamaMissing !== null)('llama.cpp agrees', () => {
  it.each(ARCHITECTURES)(`%s: logits of every row, tokens of LLaDA's published decoding`, async (arch) => {
    const llama = await loadLlama();
    const directory = temporaryDirectory();
    let [decodes, identical] = [0, 0];
    for (let seed = 1; seed <= MODELS; seed++) {
      const config = randomConfig(arch, seed);
      const { path } = await writeRandomGguf(config, seed, directory);
      const oracle = llama.open(path);
      const model = await openGguf(path);
      const engines = [
        await createTfjsEngine(model.config, model.weights),
        await createOrtEngine(model.config, model.weights),
      ];
      try {
        const random = new Random(seed);
        const ids = Array.from({ length: random.integer(1, 40) }, () => random.integer(6, config.vocab - 1));
        const expected = oracle.logits(ids);
        for (const engine of engines) {
          expect(maxDifference(await logitsOf(engine, ids), expected), `${engine.name} ${seed}`).toBeLessThan(
            1e-4,
          );
        }
        const request = decodingOf(seed);
        const wanted = await decode({ ...request, engine: llamaEngine(model.config, oracle) });
        for (const engine of engines) {
          const margin = firstDivergence(wanted, await decode({ ...request, engine }));
          // Two positions whose confidences agree to seven digits: f32 sums in another order may swap them.
          if (margin !== null) expect(margin, `${engine.name} ${seed}`).toBeLessThan(NEAR_TIE);
          decodes++;
          identical += margin === null ? 1 : 0;
        }
      } finally {
        for (const engine of engines) engine.dispose();
        oracle.close();
        await model.weights.close();
        rmSync(path);
      }
    }
    if (process.env.DLLM_FUZZ_RUNS !== undefined)
      console.log(`${arch}: ${identical} of ${decodes} decodes have llama.cpp's tokens`);
    expect(identical / decodes).toBeGreaterThan(0.97);
  });

  it('on quantised files as far as its 8-bit activations allow', async () => {
    const llama = await loadLlama();
    const directory = temporaryDirectory();
    let agreeing = 0;
    let rows = 0;
    for (let seed = 1; seed <= 6; seed++) {
      const config = randomConfig('llada', seed);
      const { path } = await writeRandomGguf(config, seed, directory, seed % 2 === 0 ? 'q4_0' : 'q8_0');
      const oracle = llama.open(path);
      const model = await openGguf(path);
      const ort = await createOrtEngine(model.config, model.weights);
      const ids = Array.from({ length: 24 }, (_, i) => 6 + ((i * 7) % (config.vocab - 6)));
      const [expected, actual] = [oracle.logits(ids), await logitsOf(ort, ids)];
      expect(maxDifference(actual, expected)).toBeLessThan(0.5);
      for (let row = 0; row < ids.length; row++) {
        const part = (all: Float32Array) => all.subarray(row * config.vocab, (row + 1) * config.vocab);
        agreeing += argmax(part(actual)) === argmax(part(expected)) ? 1 : 0;
        rows++;
      }
      ort.dispose();
      oracle.close();
      await model.weights.close();
    }
    expect(agreeing / rows).toBeGreaterThan(0.85);
  });
});

/** A prompt, a length and a block length, as LLaDA's `generate` takes them, at temperature 0. */
function decodingOf(seed: number) {
  const random = new Random(seed + 1000);
  const blockLength = random.pick([4, 8, 16]);
  return {
    policy: composePolicy({ ...policySpecByName('llada'), blockLength }),
    promptIds: Array.from({ length: random.integer(1, 12) }, () => random.integer(6, 31)),
    genLength: blockLength * random.integer(1, 3),
  };
}
