import { z } from 'zod';
import { defineRule, nothing, plain } from '../definition.js';
import { seed } from '../random.js';
import { drawToken } from './draw-token.js';

const schema = z.strictObject({
  kind: z.literal('filtered'),
  temperature: z
    .number()
    .min(0)
    .default(0.2)
    .describe('Dream recommends 0.2 (0.1 for the published instruct scores); 0 takes the best token'),
  topP: z.number().positive().max(1).nullable().default(0.95).describe('Dream and llama.cpp: 0.95'),
  topK: z.int().min(1).nullable().default(null).describe('null: no limit; llama.cpp: 40'),
  order: z
    .enum(['dream', 'llama.cpp'])
    .default('dream')
    .describe('dream: temperature, top-p, top-k; llama.cpp: top-k, top-p, temperature'),
  seed,
});

/** Dream's and llama.cpp's: temperature, top-p and top-k, then a draw; the confidence is computed on what is left. */
export const filtered = defineRule(
  'sampling',
  schema,
)({
  facts: () => ({ random: true }),
  rule: (spec) => ({
    seed: spec.seed,
    temperature: spec.temperature,
    pick(logits, maskId, at) {
      const judged = kept(logits, maskId, spec);
      // llama.cpp leaves the temperature out of its chain at 0 and still samples.
      const scale = spec.temperature === 0 && spec.order === 'dream' ? 0 : 1;
      return { token: drawToken(judged, maskId, scale, spec.seed, at), judged };
    },
  }),
  contradicts: nothing,
  givesUp: nothing,
  technique: plain,
  draws: () => ({
    temperature: [0, 0.2, 1],
    topP: [null, 0.5, 0.95],
    topK: [null, 2, 5],
    order: ['dream', 'llama.cpp'],
    seed: [0, 1, 2],
  }),
});

/** Logits after temperature, top-p and top-k; what is removed is -Infinity. */
function kept(
  own: Float32Array,
  maskId: number,
  { temperature, topP, topK, order }: z.output<typeof schema>,
): Float32Array {
  const result = own.slice();
  const divide = (): void => {
    if (temperature > 0) for (let id = 0; id < result.length; id++) result[id] /= temperature;
  };
  const keepK = (): void => {
    if (topK !== null) keepFirst(result, maskId, topK);
  };
  const keepP = (): void => {
    if (topP !== null) keepFirst(result, maskId, nucleus(result, maskId, topP));
  };
  const chain = order === 'dream' ? [divide, keepP, keepK] : [keepK, keepP, divide];
  for (const stage of chain) stage();
  return result;
}

/** Ids by falling logit, lower ids first among equals; the mask is never among them. */
function ranked(values: Float32Array, maskId: number): number[] {
  const ids = Array.from({ length: values.length }, (_, id) => id).filter(
    (id) => id !== maskId && values[id] !== Number.NEGATIVE_INFINITY,
  );
  return ids.sort((a, b) => values[b] - values[a] || a - b);
}

function keepFirst(values: Float32Array, maskId: number, count: number): void {
  for (const id of ranked(values, maskId).slice(count)) values[id] = Number.NEGATIVE_INFINITY;
  values[maskId] = Number.NEGATIVE_INFINITY;
}

/** How many of the ranked tokens it takes to exceed `topP`, the one that crosses it included. */
function nucleus(values: Float32Array, maskId: number, topP: number): number {
  const order = ranked(values, maskId);
  const maximum = values[order[0]];
  const weights = order.map((id) => Math.exp(values[id] - maximum));
  const sum = weights.reduce((a, b) => a + b, 0);
  let cumulative = 0;
  const crossing = weights.findIndex((weight) => {
    cumulative += weight / sum;
    return cumulative > topP;
  });
  return crossing < 0 ? order.length : crossing + 1;
}
