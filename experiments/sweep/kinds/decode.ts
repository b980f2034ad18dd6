import { z } from 'zod';
import { energyOf } from '../../../sim/energy/energy.js';
import type { Machine } from '../../../sim/machine/machine.js';
import { composePolicy, type DecodingPolicy } from '../../../src/decode/compose.js';
import { overrideSpec } from '../../../src/decode/overrides.js';
import { policySpecByName } from '../../../src/decode/policies.js';
import { type DecodeResult, decode } from '../../../src/decode/session.js';
import type { PolicySpec } from '../../../src/decode/spec.js';
import type { StepTiming } from '../../../src/decode/timer.js';
import { generateProblem, type Problem } from '../../../src/train/problems.js';
import { scoreResponse } from '../../../src/train/score.js';
import { latencyTable } from '../../latency-table.js';
import { mean, median } from '../../stats.js';
import { canonicalJson } from '../canonical.js';
import { defineKind } from '../kind.js';
import { chipInputs, chipOptions, machineOf, under } from './chip.js';
import { Deciders, modelSha256 } from './deciders.js';

const config = z.strictObject({
  ...chipOptions,
  policy: z.string().default('llada.cpp'),
  /** Options of the policy to change, by path: `{"commit.visible": 0.8}`. */
  options: z.record(z.string(), z.json()).default({}),
  /** Null: the policy's own. */
  blockLength: z.int().min(1).nullable().default(null),
  model: z.string().default('tiny-llada').describe('model that decides'),
  engine: z.enum(['tfjs', 'ort']).default('tfjs'),
  /** Problems `firstPrompt` .. `firstPrompt + prompts - 1` of the held-out long set of `seed`. */
  seed: z.int().min(0).default(1),
  firstPrompt: z.int().min(0).default(0),
  prompts: z.int().min(1).default(1),
  genLength: z.int().min(1).default(128),
});

type Config = z.infer<typeof config>;

/** One prompt decoded and timed. */
interface Sample {
  readonly prompt: number;
  readonly seconds: number;
  readonly forwards: number;
  readonly steps: number;
  readonly tokensPerForward: number;
  readonly textTokens: number;
  readonly exact: boolean;
  readonly joules: number;
  readonly refreshesLanded: number;
  readonly draftsAccepted: number;
  readonly remainingVisible: number;
}

const deciders = new Deciders();

/**
 * Decodes whose decisions no machine can change, by everything they depend on. Sweeps over chips ask for the same
 * decode again and again.
 */
const decided = new Map<string, DecodeResult>();
const MAX_DECIDED = 64;

/** Whether a policy looks at a clock (refreshes) or at costs (lookahead). */
function usesMachine({ spec }: DecodingPolicy): boolean {
  const { window, refresh } = spec;
  return refresh.kind !== 'none' || ('lookahead' in window && window.lookahead !== undefined);
}

function specOf({ policy, blockLength, options }: Config): PolicySpec {
  const named = policySpecByName(policy);
  return overrideSpec(blockLength === null ? named : { ...named, blockLength }, options);
}

/** Prompts of the deciding model under one policy, each decode timed on one machine. */
export const decodeKind = defineKind({
  name: 'decode',
  description: 'problems decoded by a model under a policy and timed on a machine',
  config,
  async inputs(options) {
    specOf(options);
    return { ...chipInputs(options), [`model ${options.model}`]: await modelSha256(options.model) };
  },
  async run(options, signal) {
    const samples: Sample[] = [];
    const busyMs: Record<string, number> = {};
    const machine = machineOf(options);
    const policy = composePolicy(specOf(options), { latencyTable: latencyTable(machineOf(options)) });
    for (let at = 0; at < options.prompts; at++) {
      const prompt = options.firstPrompt + at;
      const { result, timings, problem, text } = await decideAndTime(
        options,
        policy,
        machine,
        prompt,
        signal,
      );
      for (const timing of timings) {
        for (const [name, ms] of Object.entries(timing.busyMs)) busyMs[name] = (busyMs[name] ?? 0) + ms;
      }
      const { counters } = result;
      samples.push({
        prompt,
        seconds: (timings.at(-1)?.endMs ?? 0) / 1000,
        forwards: counters.nfe,
        steps: timings.length,
        tokensPerForward: counters.tokensPerForward,
        textTokens: counters.textTokens,
        exact: scoreResponse(problem, text).exact,
        joules: energyOf(timings, machine.options.profile).joules,
        refreshesLanded: counters.refreshesLanded,
        draftsAccepted: counters.draftsAccepted,
        remainingVisible: result.remainingVisible.length,
      });
    }
    return { metrics: metricsOf(samples, busyMs), detail: { samples } };
  },
  close: () => {
    decided.clear();
    return deciders.close();
  },
});

async function decideAndTime(
  options: Config,
  policy: DecodingPolicy,
  machine: Machine,
  prompt: number,
  signal: AbortSignal | undefined,
): Promise<{ result: DecodeResult; timings: StepTiming[]; problem: Problem; text: string }> {
  const { engine, promptIds, textOf } = await deciders.open(options.model, options.engine);
  const problem = generateProblem(options.seed, prompt, 'long', 'heldout');
  const live = usesMachine(policy);
  const { model, engine: engineName, seed, genLength } = options;
  const key = canonicalJson({ spec: policy.spec, model, engineName, seed, prompt, genLength });
  machine.reset();
  let result = live ? undefined : decided.get(key);
  if (result === undefined) {
    result = await decode({
      ...{ policy, engine, promptIds: promptIds(problem.prompt), genLength },
      ...(live ? { timer: machine } : {}),
      ...(signal === undefined ? {} : { signal }),
    });
    if (!live) {
      if (decided.size >= MAX_DECIDED) decided.delete(decided.keys().next().value ?? '');
      decided.set(key, result);
    }
  }
  const timings = result.steps.map((step) => step.timing ?? machine.time(step.plan));
  return { result, timings, problem, text: textOf(result.tokens) };
}

function metricsOf(samples: readonly Sample[], busyMs: Readonly<Record<string, number>>) {
  const of = (pick: (sample: Sample) => number): number => mean(samples.map(pick));
  const totalMs = samples.reduce((sum, { seconds }) => sum + seconds * 1000, 0);
  const shares = Object.entries(busyMs).map(([name, ms]) => [name, ms / totalMs]);
  return {
    seconds: of(({ seconds }) => seconds),
    medianSeconds: median(samples.map(({ seconds }) => seconds)),
    joules: of(({ joules }) => joules),
    exactShare: of(({ exact }) => Number(exact)),
    forwards: of(({ forwards }) => forwards),
    steps: of(({ steps }) => steps),
    tokensPerForward: of(({ tokensPerForward }) => tokensPerForward),
    textTokens: of(({ textTokens }) => textTokens),
    refreshesLanded: of(({ refreshesLanded }) => refreshesLanded),
    draftsAccepted: of(({ draftsAccepted }) => draftsAccepted),
    remainingVisible: of(({ remainingVisible }) => remainingVisible),
    ...under('busyShare', Object.fromEntries(shares)),
  };
}
