import { uniformAt } from '../../../src/decode/rules/random.js';
import type { Pass } from '../../../src/pass/pass.js';
import { TOY_EOS, TOY_MASK, TOY_VOCAB, type ToyEngine } from './toy-engine.js';

/**
 * LLaDA's and Dream's samplers written down plainly, with nothing of src/decode but its random numbers: one forward
 * over the whole canvas per step, probabilities in f64.
 */
const softmax = (logits: readonly number[]): number[] => {
  const top = Math.max(...logits);
  const weights = logits.map((value) => Math.exp(value - top));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
};

const gumbel = (...counters: number[]): number => -Math.log(-Math.log(uniformAt(...counters)));

async function wholeCanvas(engine: ToyEngine, x: readonly number[], version: number): Promise<number[][]> {
  const rows = x.map((feed, position) => ({ position, feed }));
  const pass: Pass = {
    id: `${version}`,
    kind: 'denoise',
    lane: 'main',
    version,
    rows,
    reads: [],
    visibility: 'all',
    logits: rows.map((_, row) => row),
  };
  const { logits } = await engine.run(pass);
  engine.retain([]);
  return x.map((_, row) => [...logits.slice(row * TOY_VOCAB, (row + 1) * TOY_VOCAB)]);
}

const argmax = (values: readonly number[]): number =>
  values.reduce((best, value, id) => (id !== TOY_MASK && (best < 0 || value > values[best]) ? id : best), -1);

export interface LladaOptions {
  readonly blockLength: number;
  readonly steps: number;
  readonly temperature: number;
  readonly seed: number;
  readonly random: boolean;
  readonly eosNever: boolean;
  readonly eosLast: boolean;
}

/** LLaDA `generate` with its sampling options. */
export async function lladaGenerate(
  engine: ToyEngine,
  prompt: readonly number[],
  genLength: number,
  o: LladaOptions,
): Promise<number[]> {
  const x = [...prompt, ...Array.from({ length: genLength }, () => TOY_MASK)];
  let version = 0;
  for (let start = prompt.length; start < x.length; start += o.blockLength) {
    const inBlock = (position: number) => position >= start && position < start + o.blockLength;
    for (let step = 0; step < o.steps; step++) {
      const draw = x.filter((token) => token === TOY_MASK).length;
      const rows = await wholeCanvas(engine, x, ++version);
      const scored = rows.flatMap((raw, position) => {
        if (x[position] !== TOY_MASK || !inBlock(position)) return [];
        const logits = raw.map((value, id) =>
          o.eosNever && id === TOY_EOS ? Number.NEGATIVE_INFINITY : value,
        );
        const noisy = logits.map((value, id) =>
          o.temperature === 0 ? value : value + o.temperature * gumbel(o.seed, draw, position, 1, id),
        );
        const token = argmax(noisy);
        const judged = logits.map((value, id) =>
          o.eosLast && id === TOY_EOS ? Number.NEGATIVE_INFINITY : value,
        );
        const confidence = o.random ? uniformAt(o.seed, draw, position, 2) : softmax(judged)[token];
        return [{ position, token, confidence }];
      });
      scored.sort((a, b) => b.confidence - a.confidence || a.position - b.position);
      const base = Math.floor(o.blockLength / o.steps);
      const due = base + (step < o.blockLength % o.steps ? 1 : 0);
      for (const { position, token } of scored.slice(0, due)) x[position] = token;
    }
  }
  return x.slice(prompt.length);
}

export interface DreamOptions {
  readonly alg: 'origin' | 'maskgit_plus' | 'topk_margin' | 'entropy';
  readonly steps: number;
  readonly eps: number;
  readonly temperature: number;
  readonly topP: number | null;
  readonly topK: number | null;
  readonly algTemp: number;
  readonly seed: number;
}

/** Dream `diffusion_generate`, shift included. */
export async function dreamGenerate(
  engine: ToyEngine,
  prompt: readonly number[],
  genLength: number,
  o: DreamOptions,
): Promise<number[]> {
  const x = [...prompt, ...Array.from({ length: genLength }, () => TOY_MASK)];
  const f = Math.fround;
  const line = Array.from({ length: o.steps + 1 }, (_, k) => f(1 - f(f(k / o.steps) * f(1 - f(o.eps)))));
  for (let k = 0; k < o.steps; k++) {
    const rows = await wholeCanvas(engine, x, k + 1);
    const masked = x.flatMap((token, position) => (token === TOY_MASK ? [position] : []));
    if (masked.length === 0) break;
    const scored = masked.map((position) => {
      let logits = rows[Math.max(0, position - 1)].map((value) =>
        Math.fround(o.temperature > 0 ? value / o.temperature : value),
      );
      const order = () =>
        logits
          .map((value, id) => ({ value, id }))
          .filter(({ id, value }) => id !== TOY_MASK && value !== Number.NEGATIVE_INFINITY)
          .sort((a, b) => b.value - a.value || a.id - b.id);
      const keep = (count: number) => {
        const kept = new Set(
          order()
            .slice(0, count)
            .map(({ id }) => id),
        );
        logits = logits.map((value, id) => (kept.has(id) ? value : Number.NEGATIVE_INFINITY));
      };
      if (o.topP !== null) {
        let sum = 0;
        let count = 0;
        for (const p of softmax(order().map(({ value }) => value))) {
          count++;
          sum += p;
          if (sum > o.topP) break;
        }
        keep(count);
      }
      if (o.topK !== null) keep(o.topK);
      const p = softmax(logits);
      const token = argmax(
        logits.map((value, id) =>
          o.temperature > 0 ? value + gumbel(o.seed, masked.length, position, 1, id) : value,
        ),
      );
      const ranked = p.filter((_, id) => id !== TOY_MASK).sort((a, b) => b - a);
      const entropy = -p.reduce((h, q) => (q > 0 ? h + q * Math.log(q) : h), 0);
      const confidence = {
        origin: p[token],
        maskgit_plus: p[token],
        topk_margin: ranked[0] - ranked[1],
        entropy: 1 - entropy / Math.log(TOY_VOCAB),
      }[o.alg];
      return { position, token, confidence };
    });
    const share = k === o.steps - 1 ? 1 : f(1 - f(line[k + 1] / line[k]));
    const coin = (position: number) => uniformAt(o.seed, 0, k, position);
    const rank = (s: { position: number; confidence: number }) =>
      o.algTemp === 0 ? s.confidence : s.confidence / o.algTemp - Math.log(-Math.log(coin(s.position)));
    const chosen =
      o.alg === 'origin'
        ? scored.filter(({ position }) => coin(position) < share)
        : scored
            .sort((a, b) => rank(b) - rank(a) || a.position - b.position)
            .slice(0, share === 1 ? scored.length : Math.trunc(f(masked.length * share)));
    for (const { position, token } of chosen) x[position] = token;
  }
  return x.slice(prompt.length);
}
