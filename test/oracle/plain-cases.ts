import fc from 'fast-check';
import type { PolicySpecInput } from '../../src/decode/spec.js';
import { tinyConfig } from '../support/tiny-model.js';
import * as plain from './plain-decoder.js';
import { type PaperOptions, slidingWindow, stagedBlocks } from './plain-paper.js';
import type { PlainConfidence, PlainSampling } from './plain-scores.js';

/** Blocks of the suite are short: what a decode costs grows with their square. */
const LONGEST = process.env.DLLM_FUZZ_RUNS === undefined ? 6 : 9;

/** What a schedule may be; every policy takes what it knows. */
export const schedules = fc.record({
  blockLength: fc.integer({ min: 1, max: LONGEST }),
  blocks: fc.integer({ min: 1, max: 3 }),
  promptIds: fc.array(fc.integer({ min: 6, max: 15 }), { minLength: 1, maxLength: 9 }),
  shift: fc.boolean(),
  model: fc.nat(10_000),
  seed: fc.nat(99),
  tau: fc.constantFrom(0.1, 0.2, 0.3, 0.5, 1.01),
  tau2: fc.constantFrom(0.1, 0.2, 0.3, 0.5, 1.01),
  factor: fc.constantFrom(0.5, 1, 2, 4),
  share: fc.integer({ min: 1, max: 6 }),
  every: fc.integer({ min: 1, max: 4 }),
  trigger: fc.integer({ min: 0, max: 5 }),
  maxRows: fc.integer({ min: 0, max: 8 }),
  allowance: fc.constantFrom(0, 0.3, 1),
});
export type Schedule = typeof schedules extends fc.Arbitrary<infer T> ? T : never;

/** How a policy is set for a schedule, and the loop it should be. */
export interface Case {
  readonly change: Partial<PolicySpecInput>;
  readonly loop: (task: plain.Task) => number[];
  readonly sampling?: PlainSampling;
  /** Steps that a refresh takes at most; without it, it lands with the step that launched it. */
  readonly delay?: number;
}

export const time = (rows: number): number => 1 + Math.ceil(rows / 4);

const quota = (
  s: Schedule,
  sampling: PlainSampling,
  change: Partial<PolicySpecInput>,
  guidance = 0,
): Case => {
  const steps = Math.min(s.share, s.blockLength);
  return {
    change: { commit: { kind: 'quota', stepsPerBlock: steps }, ...change },
    loop: (task) => plain.wholeCanvas(task, plain.quotas(s.blockLength, steps), guidance),
    sampling,
  };
};

const timeline = (
  s: Schedule,
  sampling: PlainSampling,
  change: Partial<PolicySpecInput>,
  origin = false,
): Case => {
  const steps = Math.min(s.share, s.blockLength);
  const temperature = s.every > 2 ? 0.5 : 0;
  return {
    change: {
      commit: {
        kind: 'timestep',
        steps,
        transfer: origin ? 'each' : 'top',
        temperature,
        seed: s.seed,
      },
      ...change,
    },
    loop: (task) => plain.wholeCanvas(task, plain.timeline(steps, 0.001, origin, temperature, s.seed)),
    sampling,
  };
};

const dream = (s: Schedule, confidence: PlainConfidence, origin = false): Case => {
  const filter = {
    dream: true,
    temperature: s.tau2 < 0.3 ? 0 : s.tau2,
    topP: s.tau > 1 ? null : 0.5 + s.tau,
    topK: s.every > 2 ? s.every : null,
  };
  const { temperature, topP, topK } = filter;
  const sampling = { kind: 'filtered' as const, temperature, topP, topK, seed: s.seed };
  return timeline(s, { confidence, filter, seed: s.seed }, { sampling }, origin);
};

const llamaCpp = (s: Schedule) => {
  const filter = {
    dream: false,
    temperature: s.tau2 < 0.3 ? 0 : s.tau2,
    topP: s.tau > 1 ? null : 0.5 + s.tau,
    topK: 2 + s.every,
  };
  const { temperature, topP, topK } = filter;
  const sampling = {
    kind: 'filtered' as const,
    order: 'llama.cpp' as const,
    temperature,
    topP,
    topK,
    seed: s.seed,
  };
  return { filter, change: { sampling } };
};

const llamaQuota = (s: Schedule, confidence: PlainConfidence): Case => {
  const { filter, change } = llamaCpp(s);
  return quota(s, { confidence, filter, seed: s.seed }, change);
};

const paper = (
  s: Schedule,
  has: { stages: boolean; skip?: boolean; refresh?: boolean; block?: boolean; masked?: boolean },
): Case => {
  const stages = has.stages ? { visible: Math.min(s.tau, s.tau2), stable: Math.max(s.tau, s.tau2) } : null;
  const refresh =
    has.refresh === true
      ? { perStep: s.every, batch: 1 + (s.share % 3), maxInFlight: s.every + (s.maxRows % 4) }
      : null;
  // Drafts that are fed as masks are drafts that no confidence lets through.
  const drafts = { feedConfidence: has.masked === true ? 2 : s.tau2 / 2, acceptConfidence: s.tau };
  const feed = has.masked === true ? ('mask' as const) : ('token' as const);
  const options: PaperOptions = {
    stages,
    refresh,
    ...drafts,
    skip: has.skip === true,
    lookahead: { trigger: s.trigger, maxRows: s.maxRows, allowance: s.allowance, time },
  };
  const { trigger, maxRows } = s;
  return {
    change: {
      commit: stages === null ? { kind: 'quota' } : { kind: 'staged', ...stages },
      window:
        has.block === true
          ? { kind: 'block' }
          : { kind: 'sliding', lookahead: { trigger, maxRows, allowanceRatio: s.allowance } },
      speculate: has.block === true ? { kind: 'none' } : { kind: 'drafts', feed, ...drafts },
      refresh: refresh === null ? { kind: 'none' } : { kind: 'cpu', ...refresh },
    },
    loop: (task) => (has.block === true ? stagedBlocks : slidingWindow)(task, options),
    delay: s.trigger,
  };
};

const oneByOne = (s: Schedule) => plain.quotas(s.blockLength, s.blockLength);
const threshold = (s: Schedule, loop: Case['loop']): Case => ({
  change: { commit: { kind: 'threshold', tau: s.tau } },
  loop,
});

/** What LLaDA may be told about the token that ends a text. */
const ending = (s: Schedule): [PlainSampling, Partial<PolicySpecInput>] => {
  const never = s.trigger % 3 === 0;
  const last = s.maxRows % 3 === 0;
  return [
    { endOfText: { id: tinyConfig().endIds[0], never, last } },
    { endOfText: { logit: never ? 'never' : 'keep', confidence: last ? 'last' : 'keep' } },
  ];
};

/** Rules whose options are a checkpoint's, so that no policy is named after them, and a policy of the same shape. */
export const UNNAMED: Readonly<Record<string, string>> = { indel: 'joint-threshold' };

/** The loop that each named policy was published as. */
export const CASES: Readonly<Record<string, (s: Schedule) => Case>> = {
  llada: (s) => quota(s, ...ending(s)),
  'block-kv': (s) => ({ change: {}, loop: (task) => plain.cachedBlocks(task, oneByOne(s)) }),
  threshold: (s) => threshold(s, (task) => plain.cachedBlocks(task, plain.threshold(s.tau))),
  mbsd: (s) => paper(s, { stages: false }),
  'mbsd-sts': (s) => paper(s, { stages: true }),
  'mbsd-sts-sls': (s) => paper(s, { stages: true, skip: true }),
  'llada.cpp': (s) => paper(s, { stages: true, skip: true, refresh: true }),
  'mbsd-drafts-masked': (s) => paper(s, { stages: false, masked: true }),
  'mbsd-sts-drafts-masked': (s) => paper(s, { stages: true, masked: true }),
  'mbsd-sts-sls-drafts-masked': (s) => paper(s, { stages: true, skip: true, masked: true }),
  'llada.cpp-drafts-masked': (s) => paper(s, { stages: true, skip: true, refresh: true, masked: true }),
  sts: (s) => paper(s, { stages: true, block: true }),
  'exact-speculation': (s) => ({
    change: { speculate: { kind: 'exact', tile: 1 + s.maxRows, extraTiles: s.every } },
    loop: (task) => plain.cachedBlocks(task, oneByOne(s)),
  }),
  'exact-speculation-threshold': (s) => ({
    change: {
      commit: { kind: 'threshold', tau: s.tau },
      speculate: { kind: 'exact', tile: 1 + s.maxRows, extraTiles: s.every },
    },
    loop: (task) => plain.cachedBlocks(task, plain.threshold(s.tau)),
  }),
  'fast-dllm-prefix': (s) => threshold(s, (task) => plain.fastDllm(task, plain.threshold(s.tau), false)),
  'fast-dllm-dual': (s) => threshold(s, (task) => plain.fastDllm(task, plain.threshold(s.tau), true)),
  'fast-dllm-factor': (s) => ({
    change: { commit: { kind: 'factor', factor: s.factor } },
    loop: (task) => plain.fastDllm(task, plain.factor(s.factor), true),
  }),
  dkv: (s) => ({
    change: { cache: { kind: 'decided', refreshEvery: s.every } },
    loop: (task) => plain.dkv(task, oneByOne(s), s.every),
  }),
  wino: (s) => ({
    change: { commit: { kind: 'revocable', tau: s.tau }, revoke: { kind: 'shadow', tau: s.tau2 } },
    loop: (task) => plain.wino(task, s.tau, s.tau2),
  }),
  'block-causal': (s) => ({
    change: { commit: { kind: 'threshold', tau: s.tau, compare: 'above' } },
    loop: (task) => plain.blockCausal(task, plain.threshold(s.tau, true)),
  }),
  'eb-sampler': (s) => ({
    change: { commit: { kind: 'entropy-bound', gamma: s.factor } },
    loop: (task) => plain.cachedBlocks(task, plain.entropyBound(s.factor)),
    sampling: { confidence: 'perplexity' },
  }),
  'local-leap': (s) => {
    const [near, anchor] = [Math.min(s.tau, s.tau2), Math.max(s.tau, s.tau2)];
    return {
      change: { commit: { kind: 'local-leap', anchor, near, distance: s.every } },
      loop: (task) => plain.cachedBlocks(task, plain.localLeap(anchor, near, s.every)),
    };
  },
  'joint-threshold': (s) => ({
    change: { commit: { kind: 'joint-threshold', tau: s.tau, edit: s.tau2 / 2, edits: s.trigger } },
    loop: (task) => plain.jointThreshold(task, s.tau, s.tau2 / 2, s.trigger),
  }),
  indel: (s) => {
    // Tokens of the answer: random models write them now and then, and come back to where they were.
    const options = { deleteId: 7, splitId: 8, tau: s.tau, edit: s.tau2 / 4, edits: s.trigger };
    return {
      change: { commit: { kind: 'indel', ...options } },
      loop: (task) => plain.indel(task, options),
    };
  },
  prophet: (s) => {
    const steps = Math.min(s.share, s.blockLength);
    const { trigger: answer, every: length, factor: early } = s;
    const gaps = { early, mid: early / 2, late: early / 4 };
    return {
      change: { commit: { kind: 'early-commit', stepsPerBlock: steps, answer, length, ...gaps } },
      loop: (task) => plain.prophet(task, steps, answer, length, [gaps.early, gaps.mid, gaps.late]),
    };
  },
  klass: (s) => {
    // Random models move a lot: both sides of the limit are met.
    const drift = s.factor / 20;
    return {
      change: { commit: { kind: 'klass', tau: s.tau, drift, steps: 1 + (s.every % 3) } },
      loop: (task) => plain.klass(task, s.tau, drift, 1 + (s.every % 3)),
    };
  },
  'bounded-rank': (s) => {
    const bound = (['prefix', 'either', 'cumulative'] as const)[s.every % 3];
    const pick = plain.boundedRank(bound, s.tau, s.tau2 / 2, s.factor);
    return {
      change: { commit: { kind: 'bounded-rank', bound, tau: s.tau, floor: s.tau2 / 2, factor: s.factor } },
      loop: (task) => plain.blockCausal(task, pick),
    };
  },
  'multi-block': (s) => ({
    change: { commit: { kind: 'active-blocks', entropy: s.factor, opens: Math.min(1, s.tau) } },
    loop: (task) => plain.activeBlocks(task, s.factor, Math.min(1, s.tau)),
    sampling: { confidence: 'perplexity' },
  }),
  'multi-block-cached': (s) => ({
    change: {
      cache: { kind: 'delayed', delay: s.every - 1 },
      commit: { kind: 'active-blocks', entropy: s.factor, opens: Math.min(1, s.tau) },
    },
    loop: (task) => plain.activeBlocksCached(task, s.factor, Math.min(1, s.tau), s.every - 1),
    sampling: { confidence: 'perplexity' },
  }),
  sdar: (s) => ({
    change: { commit: { kind: 'threshold', tau: s.tau, compare: 'above' } },
    loop: (task) => plain.blockCausal(task, plain.threshold(s.tau, true)),
  }),
  'fast-dllm-v2': (s) => ({
    change: { commit: { kind: 'sub-blocks', length: s.share, tau: s.tau } },
    loop: (task) => plain.subBlocks(task, s.share, s.tau),
  }),
  wedlm: (s) => {
    const [entropy, penalty] = [s.factor, s.tau / 10];
    return {
      change: { blockLength: 1, window: { kind: 'streaming', width: 2 + s.maxRows, entropy, penalty } },
      loop: (task) => plain.streaming(task, 2 + s.maxRows, entropy, penalty),
      sampling: { confidence: 'perplexity' },
    };
  },
  rnd1: (s) => quota(s, { confidence: 'certainty' }, {}),
  'llada-random': (s) =>
    quota(
      s,
      { confidence: 'random', gumbel: s.tau, seed: s.seed },
      {
        sampling: { kind: 'gumbel', temperature: s.tau, seed: s.seed },
      },
    ),
  'llada-cfg': (s) => quota(s, {}, { guidance: s.factor }, s.factor),
  'llada-gumbel': (s) => {
    const [{ endOfText }, change] = ending(s);
    const sampling = { kind: 'gumbel' as const, temperature: s.tau, seed: s.seed };
    return quota(s, { gumbel: s.tau, seed: s.seed, endOfText }, { ...change, sampling });
  },
  dream: (s) => dream(s, 'certainty'),
  'dream-maskgit': (s) => dream(s, 'probability'),
  'dream-margin': (s) => dream(s, 'margin'),
  'dream-origin': (s) => dream(s, 'probability', true),
  'llama.cpp-diffusion': (s) => llamaQuota(s, 'probability'),
  'llama.cpp-diffusion-eps': (s) => {
    const { filter, change } = llamaCpp(s);
    return timeline(s, { filter, seed: s.seed }, change);
  },
  'llama.cpp-diffusion-entropy': (s) => llamaQuota(s, 'entropy'),
  'llama.cpp-diffusion-margin': (s) => llamaQuota(s, 'margin'),
  'llama.cpp-diffusion-random': (s) => llamaQuota(s, 'random'),
  'llama.cpp-diffusion-origin': (s) => {
    const { filter, change } = llamaCpp(s);
    const steps = Math.min(s.share, s.blockLength);
    return {
      change: { ...change, commit: { kind: 'quota', stepsPerBlock: steps, transfer: 'each', seed: s.seed } },
      loop: (task) => plain.wholeCanvas(task, plain.coins(s.blockLength, steps, s.seed)),
      sampling: { filter, seed: s.seed },
    };
  },
  autoregressive: () => ({ change: { blockLength: 1 }, loop: plain.leftToRight }),
  'nemotron-self-speculation': (s) => {
    const narrowest = 1 + s.every;
    const widest = narrowest + s.maxRows;
    return {
      change: { blockLength: 1, window: { kind: 'self-speculation', narrowest, widest } },
      loop: (task) => plain.selfSpeculation(task, narrowest, widest),
    };
  },
};
