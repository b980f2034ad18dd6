import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { composePolicy, type DecodingPolicy } from '../../src/decode/method/compose.js';
import { type DecodeResult, decode } from '../../src/decode/method/session.js';
import { policySpecByName, usualPolicy } from '../../src/decode/policies.js';
import type { Engine } from '../../src/engine/engine.js';
import { createGgmlEngine } from '../../src/engine/ggml/engine.js';
import { hasGgml } from '../../src/engine/ggml/package.js';
import { createOrtEngine } from '../../src/engine/ort/engine.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import type { ModelConfig } from '../../src/model/config.js';
import { ARCHITECTURES, type Architecture } from '../../src/model/families/index.js';
import { Random } from '../../src/score/random.js';
import { type RandomArch, randomConfig, spreadWeights } from '../oracle/random-models.js';
import { arbitraryConfig } from '../support/arbitrary-config.js';

/** `npm run fuzz` takes 200 models a family. */
const MODELS =
  process.env.DLLM_FUZZ_RUNS === undefined ? 2 : Math.min(200, Number(process.env.DLLM_FUZZ_RUNS));

/** Beside the one that the family is decoded with by itself. */
const POLICIES: Readonly<Partial<Record<Architecture, readonly string[]>>> = {
  llada: ['llada', 'block-kv', 'llada.cpp'],
  dream: ['llada', 'block-kv'],
  'llada-moe': ['block-kv', 'llada.cpp'],
  rnd1: ['block-kv'],
};

const BLOCK = process.env.DLLM_FUZZ_RUNS === undefined ? 4 : 8;

/** Of any shape that files of the family can describe, with room for a prompt and an answer. */
function draw(arch: Architecture, seed: number): ModelConfig {
  if (isDrawnForLlama(arch)) return randomConfig(arch, seed);
  const [drawn] = fc.sample(arbitraryConfig(arch), { seed, numRuns: 1 });
  const { vocab, attention } = drawn;
  return {
    ...drawn,
    vocab: vocab + 8,
    contextLength: 64,
    blockLength: attention === 'block-causal' ? BLOCK : undefined,
    maskId: drawn.maskId === null ? null : vocab,
    endIds: [vocab + 1],
  };
}

function isDrawnForLlama(arch: Architecture): arch is RandomArch {
  return ['llada', 'dream', 'llada-moe', 'rnd1', 'llama'].includes(arch);
}

function policiesOf(arch: Architecture, config: ModelConfig): DecodingPolicy[] {
  const specs = [usualPolicy(config), ...(POLICIES[arch] ?? []).map(policySpecByName)];
  return [...new Map(specs.map((spec) => [spec.name, spec])).values()].map((spec) =>
    composePolicy(spec.blockLength === 1 ? spec : { ...spec, blockLength: BLOCK }),
  );
}

/** Confidences nearer than this are equal: sums in another order move them as far. */
const ROUNDING = 1e-6;

/** Whether two decodes part, and do so first where rows are equally sure to rounding: a random model may say the same of several. */
function tieOf(a: DecodeResult, b: DecodeResult): boolean {
  const at = a.steps.findIndex(({ transitions }, step) => {
    const said = (of: typeof transitions) =>
      JSON.stringify(of.map(({ position, to, token }) => [position, to, token]));
    return said(transitions) !== said(b.steps[step]?.transitions ?? []);
  });
  if (at < 0) return false;
  const rowsOf = ({ steps }: DecodeResult) => steps[at]?.outcomes[0]?.rows ?? [];
  const [own, others] = [rowsOf(a), rowsOf(b)];
  const isSame = own.every(
    ({ token, confidence }, row) =>
      others[row]?.token === token && Math.abs(others[row].confidence - confidence) < ROUNDING,
  );
  const chosen = [a, b].map(({ steps }) => steps[at].transitions.map(({ position }) => position));
  const parted = own.filter(({ position }) => chosen[0].includes(position) !== chosen[1].includes(position));
  const sure = parted.map(({ confidence }) => confidence);
  return isSame && Math.max(...sure) - Math.min(...sure) < ROUNDING;
}

describe.skipIf(!hasGgml())('greedy decodes are equal on tfjs, ort and ggml', () => {
  it.each(ARCHITECTURES)('random models of family %s', async (arch) => {
    let ties = 0;
    for (let seed = 1; seed <= MODELS; seed++) {
      const config = draw(arch, seed);
      const weights = spreadWeights(config, seed);
      const engines: Engine[] = [
        await createTfjsEngine(config, weights),
        await createOrtEngine(config, weights),
        await createGgmlEngine(config, weights, { threads: 1 }),
      ];
      const random = new Random(seed);
      // Masks in a prompt are refused.
      const words = [...Array(config.vocab).keys()].filter((id) => id !== config.maskId);
      const promptIds = Array.from({ length: random.integer(1, 12) }, () => random.pick(words));
      for (const policy of policiesOf(arch, config)) {
        const answers: DecodeResult[] = [];
        for (const engine of engines)
          answers.push(await decode({ policy, engine, promptIds, genLength: 2 * BLOCK }));
        for (const answer of answers.slice(1)) {
          if (answer.tokens.join() === answers[0].tokens.join()) continue;
          ties++;
          expect(tieOf(answers[0], answer), `${arch}, seed ${seed}, ${policy.name}: ${answer.tokens}`).toBe(
            true,
          );
        }
      }
      for (const engine of engines) engine.dispose();
    }
    expect(ties).toBeLessThanOrEqual(Math.ceil(0.01 * MODELS));
  });
});
