import { profileHash } from '../../../sim/hardware/load-profile.js';
import { UsageError } from '../../../src/errors.js';
import { project } from '../../../src/util/project-root.js';
import type { Bench } from '../../comparison/bench.js';
import type { Decider } from '../../lab/deciders/decider.js';
import { type Judged, judge, MIN_PROBLEMS, shortlist } from './judge.js';
import { Measurements, type Sample } from './measure.js';
import { type Candidate, candidates, FULL_SYSTEM } from './space.js';

export const TUNE_SCHEMA = 'dllm-npu/tune@1';

export interface TuneOptions {
  readonly baseline: string;
  /** Policies drawn from the space for the screening. */
  readonly candidates: number;
  /** Problems of the screening. */
  readonly screen: number;
  /** Problems of the confirmation, apart from those of the screening. */
  readonly confirm: number;
  /** Policies that are confirmed beside the baseline and the full system. */
  readonly finalists: number;
  readonly seed: number;
}

export interface TuneResult {
  readonly schema: typeof TUNE_SCHEMA;
  readonly command: string;
  readonly version: string;
  readonly decisions: string;
  readonly costs: {
    readonly model: string;
    readonly quant: string;
    readonly profile: string;
    readonly profileSha256: string;
  };
  readonly options: TuneOptions;
  readonly screened: readonly Judged[];
  readonly confirmed: readonly Judged[];
  readonly verdict: string;
  readonly notes: readonly string[];
}

export interface TuneHooks {
  readonly onProgress?: (stage: 'screen' | 'confirm', done: number, total: number) => void;
}

/**
 * Two stages: many policies on few problems, then the fastest plausible ones on enough problems to claim
 * non-inferiority. The second stage uses other problems, so that luck in the first does not carry over.
 */
export async function tune(
  bench: Bench,
  workload: Decider,
  options: TuneOptions,
  checkpoint: string | null,
  command: string,
  hooks: TuneHooks = {},
): Promise<TuneResult> {
  if (workload.kind !== 'model')
    throw new UsageError(
      `${workload.name} has no answers: a search needs a model that can be right or wrong`,
    );
  const { costModel, quant, profile, genLength, seed } = bench.options;
  const identity = JSON.stringify([
    workload.decisions(0),
    costModel,
    quant,
    profileHash(profile),
    genLength,
    seed,
    project().version,
  ]);
  const measurements = new Measurements(bench, workload, checkpoint, identity);
  const stage = async (
    name: 'screen' | 'confirm',
    tried: readonly Candidate[],
    first: number,
    count: number,
  ): Promise<Judged[]> => {
    const samples: Sample[][] = tried.map(() => []);
    let done = 0;
    for (let index = first; index < first + count; index++) {
      for (const [i, candidate] of tried.entries()) {
        bench.hooks.signal?.throwIfAborted();
        samples[i]?.push(await measurements.sample(candidate, index));
        hooks.onProgress?.(name, ++done, count * tried.length);
      }
    }
    return judge(tried, samples);
  };
  const all = candidates(options.baseline, options.candidates, options.seed);
  const fixed = options.baseline === FULL_SYSTEM ? 1 : 2;
  const screened = await stage('screen', all, 0, options.screen);
  const kept = shortlist(screened, fixed, options.finalists).flatMap((index) => all[index] ?? []);
  const confirmed = await stage('confirm', kept, options.screen, options.confirm);
  return {
    schema: TUNE_SCHEMA,
    command,
    version: project().version,
    decisions: workload.decisions(options.screen + options.confirm),
    costs: { model: costModel, quant, profile, profileSha256: bench.profileSha256 },
    options,
    screened,
    confirmed,
    verdict: verdictOf(confirmed, options),
    notes: [
      `Latency and energy: ${costModel} ${quant} simulated on ${profile}, llada.cpp with SOMR; every number of the energy model is assumed. Quality: exact answers of the deciding model, not LLaDA-8B's.`,
      `Non-inferior: the 95 % interval of the paired difference to ${options.baseline} lies above -3 points.`,
      ...(options.confirm < MIN_PROBLEMS
        ? [`${options.confirm} problems: a claim of non-inferiority takes ${MIN_PROBLEMS}`]
        : []),
    ],
  };
}

function verdictOf(confirmed: readonly Judged[], { confirm, baseline }: TuneOptions): string {
  const full = confirmed.find(({ policy }) => policy === FULL_SYSTEM);
  if (full === undefined) return 'the full system was not among the confirmed policies';
  const better = confirmed
    .filter(
      (row) =>
        row !== full && row.nonInferior && row.seconds < full.seconds && row.exact.share >= full.exact.share,
    )
    .sort((a, b) => a.seconds - b.seconds);
  const own = full.nonInferior ? 'is' : 'is not shown to be';
  const state = `The paper's full system takes ${full.seconds.toFixed(2)} s, answers ${(100 * full.exact.share).toFixed(1)} % exactly and ${own} non-inferior to ${baseline}.`;
  const [best] = better;
  if (best === undefined)
    return `${state} No confirmed policy is faster, at least as often right and non-inferior.`;
  const hedge = confirm < MIN_PROBLEMS ? ' (too few problems for the claim)' : '';
  return `${state} Beaten by ${best.policy}: ${best.seconds.toFixed(2)} s, ${(100 * best.exact.share).toFixed(1)} % exact, ${best.joules.toFixed(0)} J against ${full.joules.toFixed(0)} J, non-inferior${hedge}.`;
}
