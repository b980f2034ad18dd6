import { describe, expect, it } from 'vitest';
import { composePolicy } from '../../src/decode/method/compose.js';
import { decode } from '../../src/decode/method/session.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { createGgmlEngine } from '../../src/engine/ggml/engine.js';
import { hasGgml } from '../../src/engine/ggml/package.js';
import { Random } from '../../src/score/random.js';
import { spreadWeights } from '../oracle/random-models.js';
import { tinyConfig } from '../support/tiny-model.js';

/** About 100 tokens each: 100,000 at `npm run fuzz`. */
const MODELS =
  process.env.DLLM_FUZZ_RUNS === undefined ? 13 : Math.min(1000, Number(process.env.DLLM_FUZZ_RUNS));

const plain = composePolicy(policySpecByName('autoregressive'));

describe.skipIf(!hasGgml())('linear self-speculation on ggml', () => {
  it('writes the tokens of greedy next-token decoding, rows verified together or one by one', async () => {
    let [tokens, forwards, passes, parted] = [0, 0, 0, 0];
    for (let seed = 1; seed <= MODELS; seed++) {
      const random = new Random(seed);
      const headDim = 8 * random.integer(1, 4);
      const kvHeads = random.integer(1, 2);
      const heads = kvHeads * random.integer(1, 3);
      const config = tinyConfig({
        ...{ arch: 'nemotron-labs-diffusion', attention: 'block-causal', alsoCausal: true, blockLength: 32 },
        ...{ layers: random.integer(1, 3), headDim, heads, kvHeads, hidden: headDim * heads },
        ...{ ffn: random.integer(8, 80), vocab: random.integer(24, 96), endIds: [] },
      });
      const engine = await createGgmlEngine(config, spreadWeights(config, seed), { threads: 1 });
      const narrowest = random.integer(2, 8);
      const drafts = composePolicy({
        ...policySpecByName('nemotron-self-speculation'),
        window: { kind: 'self-speculation', narrowest, widest: narrowest + random.integer(0, 24) },
      });
      const words = [...Array(config.vocab).keys()].filter((id) => id !== config.maskId);
      const promptIds = Array.from({ length: random.integer(1, 8) }, () => random.pick(words));
      const genLength = random.integer(50, 150);
      const expected = await decode({ policy: plain, engine, promptIds, genLength });
      const found = await decode({ policy: drafts, engine, promptIds, genLength });
      const at = found.tokens.findIndex((token, index) => token !== expected.tokens[index]);
      if (at >= 0) {
        parted++;
        console.log(
          `model ${seed} parts at token ${at} of ${genLength}: ${found.tokens[at]}, not ${expected.tokens[at]}`,
        );
      }
      tokens += found.tokens.length;
      forwards += found.counters.nfe;
      passes += expected.counters.nfe;
      engine.dispose();
    }
    if (process.env.DLLM_FUZZ_RUNS !== undefined)
      console.log(
        `ggml: ${tokens} tokens of ${MODELS} models, ${parted} part, ${forwards} forwards for ${passes}`,
      );
    expect(parted).toBe(0);
    expect(tokens).toBeGreaterThan(50 * MODELS);
  });
});
