import type { EngineName } from '../../../src/engine/registry.js';
import { UsageError } from '../../../src/errors.js';
import { project } from '../../../src/util/project-root.js';
import { modelDecisions } from '../../lab/deciders/model.js';
import { parseDecider } from '../../lab/deciders/name.js';
import { timedCases } from '../../lab/kinds/case-result.js';
import type { WantedRun } from '../../lab/plan.js';
import type { RunRecord } from '../../lab/record.js';
import { chipSchema } from '../../lab/setup.js';
import { runAll, type StudyOptions } from '../../lab/study.js';
import { FULL_SYSTEM } from '../ladder/ladder.js';
import { type Judged, judge, MIN_PROBLEMS, type Sample, shortlist } from './judge.js';
import { type Candidate, candidates } from './space.js';
import { verdictOf } from './verdict.js';

export const TUNE_SCHEMA = 'dllm-npu/tune@1';

export interface TuneOptions {
  /** Model that decides and is scored. */
  readonly workload: string;
  /** What runs it. */
  readonly engine: EngineName;
  readonly profile: string;
  readonly genLength: number;
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
  readonly options: Omit<TuneOptions, 'workload' | 'engine' | 'profile' | 'genLength'>;
  readonly screened: readonly Judged[];
  readonly confirmed: readonly Judged[];
  readonly verdict: string;
  readonly notes: readonly string[];
}

export interface TuneStudy extends Omit<StudyOptions, 'onProgress'> {
  readonly onProgress?: (stage: 'screen' | 'confirm', done: number, total: number) => void;
}

/**
 * Two stages: many policies on few problems, then the fastest plausible ones on enough problems to claim
 * non-inferiority. The second stage uses other problems, so that luck in the first does not carry over. Every decode
 * is a run of the store: a search that was cut off goes on where it stopped.
 * @throws UsageError for unknown names, or a decider that has no answers
 */
export async function tune(options: TuneOptions, study: TuneStudy): Promise<TuneResult> {
  const { workload, engine, profile, genLength, ...searched } = options;
  const { baseline, screen, confirm, finalists, seed } = options;
  const decider = parseDecider(workload);
  if (decider.kind !== 'model') {
    throw new UsageError(`${workload} has no answers: a search needs a model that can be right or wrong`);
  }
  const chip = chipSchema.parse({ profile });
  const inputs = new Map<string, string>();
  const stage = async (
    name: 'screen' | 'confirm',
    tried: readonly Candidate[],
    first: number,
    count: number,
  ): Promise<Judged[]> => {
    const wanted = tried.flatMap(({ policy, changes }) =>
      Array.from({ length: count }, (_, at): WantedRun => {
        const cases = { seed, firstCase: first + at, cases: 1, genLength };
        return { kind: 'decode', config: { workload, engine, policy, options: changes, ...chip, ...cases } };
      }),
    );
    const onProgress = (done: number, total: number): void => study.onProgress?.(name, done, total);
    const records = await runAll(wanted, { ...study, onProgress });
    for (const [file, sha256] of Object.entries(records[0].inputs)) inputs.set(file, sha256);
    const samples = records.map(sampleOf);
    return judge(
      tried,
      tried.map((_, at) => samples.slice(at * count, (at + 1) * count)),
    );
  };
  const all = candidates(baseline, options.candidates, seed);
  const fixed = baseline === FULL_SYSTEM ? 1 : 2;
  const screened = await stage('screen', all, 0, screen);
  const kept = shortlist(screened, fixed, finalists).map((index) => all[index]);
  const confirmed = await stage('confirm', kept, screen, confirm);
  const { costModel, quant } = chip;
  return {
    schema: TUNE_SCHEMA,
    command: commandLine(options),
    version: project().version,
    decisions: modelDecisions(
      workload,
      inputs.get(`model ${decider.model}`) ?? '',
      screen + confirm,
      seed,
      decider.set,
    ),
    costs: { model: costModel, quant, profile, profileSha256: inputs.get(`profile ${profile}`) ?? '' },
    options: searched,
    screened,
    confirmed,
    verdict: verdictOf(confirmed, options),
    notes: [
      `Latency and energy: ${costModel} ${quant} simulated on ${profile}, llada.cpp with SOMR; every number of the energy model is assumed. Quality: exact answers of the deciding model, not LLaDA-8B's.`,
      `Non-inferior: the interval of the paired difference to ${baseline} lies above -3 points. Confirmed on problems ${screen} to ${screen + confirm - 1}, none of which was searched; ${all.length} policies were tried on problems 0 to ${screen - 1}, and the ${kept.length - 1} comparisons of the confirmation share one error rate of 5 % (Bonferroni).`,
      ...(confirm < MIN_PROBLEMS
        ? [`${confirm} problems: a claim of non-inferiority takes ${MIN_PROBLEMS}`]
        : []),
    ],
  };
}

function sampleOf(record: RunRecord): Sample {
  const [{ answer, ms, joules, steps }] = timedCases(record).cases;
  return { exact: answer?.exact ?? false, seconds: ms / 1000, joules, forwards: steps };
}

function commandLine(options: TuneOptions): string {
  const {
    workload,
    engine,
    profile,
    baseline,
    candidates: count,
    screen,
    confirm,
    finalists,
    seed,
  } = options;
  return `dllm-npu tune --workload ${workload} --engine ${engine} --profile ${profile} --baseline ${baseline} --candidates ${count} --screen ${screen} --confirm ${confirm} --finalists ${finalists} --seed ${seed}`;
}
