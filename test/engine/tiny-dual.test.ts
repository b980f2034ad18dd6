import { describe, expect, it } from 'vitest';
import { composePolicy } from '../../src/decode/method/compose.js';
import { followModel } from '../../src/decode/method/fits.js';
import { decode } from '../../src/decode/method/session.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { parsePolicySpec } from '../../src/decode/spec.js';
import { useBackend } from '../../src/engine/tfjs/backend.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import { loadModel } from '../../src/model/load.js';
import { encodePrompt } from '../../src/model/prompt.js';
import { generateProblem } from '../../src/score/problems.js';

/** Problems decoded each way; `npm run fuzz` raises it. */
const PROBLEMS = process.env.DLLM_FUZZ_RUNS === undefined ? 1 : 100;
const GEN_LENGTH = 128;

describe('the shipped tiny-dual', () => {
  it('writes the text of next-token decoding by self-speculation, in fewer forwards, and decodes in blocks', async () => {
    await useBackend('wasm');
    const { config, weights, tokenizer } = await loadModel('tiny-dual');
    const engine = await createTfjsEngine(config, weights, { backend: 'wasm' });
    const by = (name: string, promptIds: readonly number[]) => {
      const asked = { blockLength: null, options: {} };
      const spec = followModel(parsePolicySpec(policySpecByName(name)), config, asked);
      return decode({ policy: composePolicy(spec), engine, promptIds, genLength: GEN_LENGTH });
    };
    for (let index = 0; index < PROBLEMS; index++) {
      if (tokenizer === null) throw new Error('tiny-dual has no tokenizer');
      const promptIds = encodePrompt(tokenizer, generateProblem(1, index, 'long', 'heldout').prompt);
      const plain = await by('autoregressive', promptIds);
      const drafted = await by('nemotron-self-speculation', promptIds);
      expect(drafted.tokens).toEqual(plain.tokens);
      expect(drafted.counters.nfe).toBeLessThan(plain.counters.nfe / 2);
      const blocks = await by('block-causal', promptIds);
      expect(blocks.counters.nfe).toBeLessThan(GEN_LENGTH);
    }
    engine.dispose();
    await weights.close();
  }, 120_000);
});
