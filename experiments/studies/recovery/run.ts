import { basename, resolve } from 'node:path';
import { UsageError } from '../../../src/errors.js';
import { type Proportion, wilson } from '../../../src/score/statistics/proportion.js';
import { project } from '../../../src/util/project-root.js';
import { readTexts } from '../../lab/deciders/masked-questions.js';
import { type CaseResult, decidedCases } from '../../lab/kinds/case-result.js';
import { planEach, type WantedRun } from '../../lab/plan.js';
import type { DeciderSetup } from '../../lab/setup.js';
import { runAll, type StudyOptions } from '../../lab/study.js';

export interface RecoveryOptions {
  readonly model: string;
  readonly engine: DeciderSetup['engine'];
  /** Texts, one a line. */
  readonly texts: string;
  readonly policies: readonly string[];
  /** Shares of the tokens that are masked, 0 to 1. */
  readonly shares: readonly number[];
  /** Maskings of every text. */
  readonly draws: number;
  readonly seed: number;
}

/** One policy at one share. */
export interface RecoveryRow {
  readonly policy: string;
  readonly share: number;
  /** Masked tokens that came back, of all. Those of one text are not independent: the interval is of texts. */
  readonly tokens: { readonly right: number; readonly n: number };
  /** Texts that came back whole. */
  readonly whole: Proportion;
  /** Forward passes per text. */
  readonly forwards: number;
}

export interface RecoveryTable {
  readonly schema: 'dllm-npu/recovery@1';
  readonly version: string;
  readonly model: { readonly name: string; readonly sha256: string };
  readonly options: RecoveryOptions;
  readonly texts: readonly string[];
  readonly rows: readonly RecoveryRow[];
  /** Policies that cannot fill in masks, and why. */
  readonly refused: readonly { readonly policy: string; readonly reason: string }[];
}

/**
 * Masks tokens of texts and lets every policy fill them in: how much comes back exactly. Every text is a run of the
 * store, so that a table that was cut off goes on where it stopped.
 * @throws UsageError for an unknown model or policy, or when no policy fits; DataError for a text that the vocabulary cannot hold
 */
export async function runRecovery(options: RecoveryOptions, study: StudyOptions): Promise<RecoveryTable> {
  const { policies, shares, model } = options;
  const texts = readTexts(options.texts);
  const probes = policies.map((policy) => runOf(options, policy, shares[0], 0));
  // What is unknown is wrong use, and no property of a policy.
  await planEach(probes);
  const refused: { policy: string; reason: string }[] = [];
  for (const [at, policy] of policies.entries()) {
    try {
      await runAll([probes[at]], { ...study, jobs: 0, onProgress: undefined });
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      refused.push({ policy, reason: error.message });
    }
  }
  const fitting = policies.filter((policy) => !refused.some((one) => one.policy === policy));
  if (fitting.length === 0) throw new UsageError(`no policy can fill in masks here: ${refused[0].reason}`);
  const asked = fitting.flatMap((policy) => shares.map((share) => ({ policy, share })));
  const runs = asked.flatMap(({ policy, share }) => texts.map((_, at) => runOf(options, policy, share, at)));
  const records = await runAll(runs, study);
  const [first] = records;
  return {
    schema: 'dllm-npu/recovery@1',
    version: project().version,
    // Where it lies says nothing about it.
    model: { name: basename(resolve(model)), sha256: first.inputs[`model ${model}`] },
    options,
    texts,
    rows: asked.map(({ policy, share }, at) => {
      const own = records.slice(at * texts.length, (at + 1) * texts.length);
      return rowOf(
        policy,
        share,
        own.flatMap((record) => decidedCases(record).cases),
      );
    }),
    refused,
  };
}

/** All maskings of a text. */
function runOf(
  { model, engine, texts, draws, seed }: RecoveryOptions,
  policy: string,
  share: number,
  at: number,
) {
  const data = { data: texts, maskShare: share, maskDraws: draws };
  const cases = { firstCase: at * draws, cases: draws, genLength: 0 };
  return {
    kind: 'decide',
    config: { workload: model, engine, ...data, policy, seed, ...cases },
  } satisfies WantedRun;
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

function rowOf(policy: string, share: number, cases: readonly CaseResult[]): RecoveryRow {
  const tokens = cases.flatMap(({ answer }) => answer?.tasks ?? []);
  return {
    policy,
    share,
    tokens: { right: tokens.filter(({ correct }) => correct).length, n: tokens.length },
    whole: wilson(cases.filter(({ answer }) => answer?.exact === true).length, cases.length),
    forwards: total(cases.map(({ counters }) => counters.nfe)) / cases.length,
  };
}
