import { z } from 'zod';
import { energyOf } from '../../../sim/energy/energy.js';
import { latencyTable } from '../../../sim/machine/latency-table.js';
import type { Machine } from '../../../sim/machine/machine.js';
import type { Canvas } from '../../../src/decode/canvas/types.js';
import { composePolicy, type DecodingPolicy } from '../../../src/decode/method/compose.js';
import { countWork } from '../../../src/decode/method/counters.js';
import type { StepTiming } from '../../../src/decode/method/timer.js';
import { overrideSpec } from '../../../src/decode/overrides.js';
import { policySpecByName } from '../../../src/decode/policies.js';
import type { PolicySpec } from '../../../src/decode/spec.js';
import { mean, median } from '../../../src/score/stats.js';
import { canonicalJson } from '../canonical.js';
import { defineKind } from '../kind.js';
import { DECIDING_ENGINES } from '../open-engine.js';
import { WORKLOAD_FORMS, workloadInputs } from '../workload/open-workload.js';
import type { WorkloadDecode } from '../workload/workload.js';
import { chipInputs, chipOptions, machineOf, under } from './chip.js';
import { OpenWorkloads } from './open-workloads.js';

const config = z.strictObject({
  ...chipOptions,
  policy: z.string().default('llada.cpp'),
  /** Options of the policy to change, by path: `{"commit.visible": 0.8}`. */
  options: z.record(z.string(), z.json()).default({}),
  /** Null: the policy's own. */
  blockLength: z.int().min(1).nullable().default(null),
  workload: z.string().default('tiny-llada').describe(`who decides: ${WORKLOAD_FORMS}`),
  /** Of a model; the other workloads need none. */
  engine: z.enum(DECIDING_ENGINES).default('tfjs'),
  /** Cases `firstPrompt` .. `firstPrompt + prompts - 1` of `seed`: problems of a model, seeds of the process, traces. */
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
  /** Null where nothing says what is right. */
  readonly exact: boolean | null;
  readonly joules: number;
  readonly refreshesLanded: number;
  readonly draftsAccepted: number;
  readonly remainingVisible: number;
}

const workloads = new OpenWorkloads();

interface Decided extends WorkloadDecode {
  /** Positions still visible at the end. */
  readonly remainingVisible: number;
}

/**
 * Decodes whose decisions no machine can change, by everything they depend on. Sweeps over chips ask for the same
 * decode again and again.
 */
const clockless = new Map<string, Decided>();
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

/** Cases of a workload under one policy, each decode timed on one machine. */
export const decodeKind = defineKind({
  name: 'decode',
  description:
    'cases decided by a workload (a model, a trace, a confidence process) under a policy, timed on a machine',
  config,
  async inputs(options) {
    specOf(options);
    return { ...chipInputs(options), ...(await workloadInputs(options.workload)) };
  },
  async run(options, signal) {
    const samples: Sample[] = [];
    const busyMs: Record<string, number> = {};
    const machine = machineOf(options);
    const policy = composePolicy(specOf(options), { latencyTable: latencyTable(machineOf(options)) });
    for (let at = 0; at < options.prompts; at++) {
      const prompt = options.firstPrompt + at;
      const { decided, timings } = await decideAndTime(options, policy, machine, prompt, signal);
      for (const timing of timings) {
        for (const [name, ms] of Object.entries(timing.busyMs)) busyMs[name] = (busyMs[name] ?? 0) + ms;
      }
      const { promptLength, steps, tokens, eosId, answer, remainingVisible } = decided;
      const { genLength } = options;
      const { blockLength } = policy.spec;
      const counters = countWork({ promptLength, genLength, blockLength }, steps, tokens, eosId);
      samples.push({
        prompt,
        seconds: (timings.at(-1)?.endMs ?? 0) / 1000,
        forwards: counters.nfe,
        steps: timings.length,
        tokensPerForward: counters.tokensPerForward,
        textTokens: counters.textTokens,
        exact: answer?.exact ?? null,
        joules: energyOf(timings, machine.options.profile).joules,
        refreshesLanded: counters.refreshesLanded,
        draftsAccepted: counters.draftsAccepted,
        remainingVisible,
      });
    }
    return { metrics: metricsOf(samples, busyMs), detail: { samples } };
  },
  close: () => {
    clockless.clear();
    return workloads.close();
  },
});

async function decideAndTime(
  options: Config,
  policy: DecodingPolicy,
  machine: Machine,
  prompt: number,
  signal: AbortSignal | undefined,
): Promise<{ decided: Decided; timings: StepTiming[] }> {
  const { workload: name, engine, seed, genLength } = options;
  const workload = await workloads.open(name, seed, engine);
  const live = usesMachine(policy);
  const key = canonicalJson({ spec: policy.spec, name, engine, seed, prompt, genLength });
  machine.reset();
  let decided = live ? undefined : clockless.get(key);
  if (decided === undefined) {
    let last: Canvas | null = null;
    const done = await workload.decode(prompt, {
      policy,
      genLength,
      onStep: (_, canvas) => {
        last = canvas;
      },
      ...(live ? { timer: machine } : {}),
      ...(signal === undefined ? {} : { signal }),
    });
    decided = { ...done, remainingVisible: visibleIn(last) };
    if (!live) {
      if (clockless.size >= MAX_DECIDED) clockless.delete(clockless.keys().next().value ?? '');
      clockless.set(key, decided);
    }
  }
  // A recorded decode carries the timings of its recording; only a live one was timed on this machine.
  const timings = decided.steps.map((step) => (live && step.timing ? step.timing : machine.time(step.plan)));
  return { decided, timings };
}

function visibleIn(canvas: Canvas | null): number {
  return canvas === null ? 0 : canvas.positions.filter(({ state }) => state === 'V').length;
}

function metricsOf(samples: readonly Sample[], busyMs: Readonly<Record<string, number>>) {
  const of = (pick: (sample: Sample) => number): number => mean(samples.map(pick));
  const totalMs = samples.reduce((sum, { seconds }) => sum + seconds * 1000, 0);
  const shares = Object.entries(busyMs).map(([name, ms]) => [name, ms / totalMs]);
  return {
    seconds: of(({ seconds }) => seconds),
    medianSeconds: median(samples.map(({ seconds }) => seconds)),
    joules: of(({ joules }) => joules),
    exactShare: samples.some(({ exact }) => exact === null) ? null : of(({ exact }) => Number(exact)),
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
