import { composePolicy } from '../../src/decode/method/compose.js';
import { decode } from '../../src/decode/method/session.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { createGgmlEngine } from '../../src/engine/ggml/engine.js';
import { openGguf } from '../../src/model/formats/gguf-source.js';
import { loadLlama } from '../../test/oracle/libllama.js';
import { denoise, THREADS } from '../ort/common.js';
import { pairTable } from './pairs.js';

const PROMPT = 32;

/**
 * Next-token decoding of some tokens after a prompt of 32, rules and sampling included on both sides, and a prompt of 512
 * whose last row gets logits.
 */
export async function autoregressiveTable(path: string, generated: number): Promise<string> {
  const { config, weights } = await openGguf(path);
  const engine = await createGgmlEngine(config, weights, { threads: THREADS });
  const llama = (await loadLlama()).open(path, { tokens: 512, threads: THREADS, asShipped: true });
  const ids = (count: number) => Array.from({ length: count }, (_, i) => (7919 * (i + 1)) % config.vocab);
  const policy = composePolicy(policySpecByName('autoregressive'));
  const pairs = [
    {
      name: `${generated} tokens after ${PROMPT}`,
      own: async () => void (await decode({ policy, engine, promptIds: ids(PROMPT), genLength: generated })),
      theirs: async () => {
        llama.reset();
        let next = bestOf(llama.append(ids(PROMPT)));
        for (let token = 1; token < generated; token++) next = bestOf(llama.append([next]));
      },
    },
    {
      name: 'prompt of 512',
      own: async () => {
        const pass = denoise(512, 0, config.vocab);
        engine.retain([]);
        await engine.run({ ...pass, kind: 'prefill', visibility: 'causal', logits: [511] });
        engine.retain([]);
      },
      theirs: async () => {
        llama.reset();
        llama.append(ids(512));
      },
    },
  ];
  const table = await pairTable(pairs);
  engine.dispose();
  llama.close();
  await weights.close();
  return table;
}

function bestOf(logits: Float32Array): number {
  let best = 0;
  for (let id = 1; id < logits.length; id++) if (logits[id] > logits[best]) best = id;
  return best;
}
