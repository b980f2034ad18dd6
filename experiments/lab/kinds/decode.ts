import { energyOf } from '../../../sim/energy/energy.js';
import type { Machine } from '../../../sim/machine/machine.js';
import type { Canvas } from '../../../src/decode/canvas/types.js';
import type { DecodingPolicy } from '../../../src/decode/method/compose.js';
import { countWork } from '../../../src/decode/method/counters.js';
import type { StepTiming } from '../../../src/decode/method/timer.js';
import { mean, median } from '../../../src/score/statistics/samples.js';
import { canonicalJson } from '../canonical.js';
import type { DecidedCase } from '../deciders/decider.js';
import { deciderInputs } from '../deciders/inputs.js';
import { defineKind } from '../kind.js';
import { openMachine, openPolicy, openSpec } from '../open.js';
import { type Setup, setupSchema } from '../setup.js';
import { chipInputs, under } from './chip.js';
import { OpenDeciders } from './open-deciders.js';

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

const workloads = new OpenDeciders();

interface Decided extends DecidedCase {
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

/** Cases of a workload under one policy, each decode timed on one machine. */
export const decodeKind = defineKind({
  name: 'decode',
  description:
    'cases decided by a workload (a model, a trace, a confidence process) under a policy, timed on a machine',
  config: setupSchema,
  async inputs(options) {
    openSpec(options);
    return { ...chipInputs(options), ...(await deciderInputs(options.workload)) };
  },
  async run(options, signal) {
    const samples: Sample[] = [];
    const busyMs: Record<string, number> = {};
    const machine = openMachine(options);
    const policy = openPolicy(openSpec(options), () => openMachine(options));
    for (let at = 0; at < options.cases; at++) {
      const prompt = options.firstCase + at;
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
  options: Setup,
  policy: DecodingPolicy,
  machine: Machine,
  prompt: number,
  signal: AbortSignal | undefined,
): Promise<{ decided: Decided; timings: StepTiming[] }> {
  const { workload: name, engine, backend, threads, compute, seed, genLength } = options;
  const workload = await workloads.open(options, seed);
  const live = usesMachine(policy);
  const key = canonicalJson({
    spec: policy.spec,
    name,
    engine,
    backend,
    threads,
    compute,
    seed,
    prompt,
    genLength,
  });
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
