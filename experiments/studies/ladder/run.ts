import { createHash } from 'node:crypto';
import { profileHash } from '../../../sim/hardware/load-profile.js';
import { provenanceEntries } from '../../../sim/hardware/provenance.js';
import { followModel, misfit } from '../../../src/decode/method/fits.js';
import { UsageError } from '../../../src/errors.js';
import type { ModelConfig } from '../../../src/model/config.js';
import { elementsOf } from '../../../src/model/dtype.js';
import { weightShapes } from '../../../src/model/weight-ids.js';
import { project } from '../../../src/util/project-root.js';
import { ModelDecider } from '../../lab/deciders/model.js';
import { Lab } from '../../lab/lab.js';
import { openChip, openSpec } from '../../lab/open.js';
import type { StudyOptions } from '../../lab/study.js';
import { type Mismatch, mismatches, withheldNote } from '../../paper/conditions.js';
import { conditionsOf } from '../../paper/numbers.js';
import { aggregate } from './aggregate.js';
import { type Gallery, gallery, type OnTrace } from './gallery.js';
import { withIntervals } from './intervals.js';
import { LADDER } from './ladder.js';
import { notes } from './notes.js';
import { ABLATION_DEFAULTS, type AblationOptions } from './options.js';
import { type PromptResult, runPrompts } from './prompts.js';
import { tokenTexts } from './token-texts.js';
import { ABLATION_SCHEMA, type AblationSummary, type ProvenanceEntry } from './types.js';

/** Of the rows. */
const STACKS = [...new Set(LADDER.map((row) => row.stack))];

export interface AblationStudy extends StudyOptions {
  /** Called with every row's decode of the first prompt. */
  readonly onTrace?: OnTrace;
}

/**
 * Runs the ladder: every prompt decoded by the trained model under every row's policy, every decode timed with
 * the cost model's shapes on the row's stack. Each decode is a run of the store. Results do not depend on `jobs`.
 *
 * @throws UsageError for values outside their range or unknown names
 */
export async function runAblation(options: AblationOptions, study: AblationStudy): Promise<AblationSummary> {
  check(options);
  const lab = study.lab ?? new Lab();
  try {
    const decider = await lab.decider({ workload: options.model }, options.seed);
    if (!(decider instanceof ModelDecider)) throw new UsageError(`${options.model} is no model`);
    checkModel(decider.trained, options);
    const prompts = await runPrompts(options, { ...study, lab });
    const shown = await gallery(options, decider, lab, study.onTrace, study.signal);
    const summary = summarise(options, decider, prompts, shown, study.gitCommit);
    return { ...summary, rows: withIntervals(summary.rows, prompts, options, lab, study.signal) };
  } finally {
    if (study.lab === undefined) await lab.close();
  }
}

function check(options: AblationOptions): void {
  const atLeast = (name: keyof AblationOptions, low: number): void => {
    const value = options[name];
    if (!Number.isInteger(value) || Number(value) < low) {
      throw new UsageError(`${name} must be a whole number of at least ${low}, got ${value}`);
    }
  };
  atLeast('prompts', 1);
  atLeast('firstIndex', 0);
  atLeast('verifyPrompts', 0);
  atLeast('verifyEvery', 1);
  if (options.genLength % options.blockLength !== 0) {
    throw new UsageError(
      `block length ${options.blockLength} does not divide the generation length ${options.genLength}`,
    );
  }
}

/** @throws UsageError for a model that a row cannot decode: before anything runs */
function checkModel(model: ModelConfig, { blockLength }: AblationOptions): void {
  for (const { name, policy } of LADDER) {
    const asked = { policy, blockLength, options: {} };
    const reason = misfit(followModel(openSpec(asked), model, asked), model);
    if (reason !== null)
      throw new UsageError(
        `row ${name}: ${reason}. The ladder takes models that see both ways (see: models)`,
      );
  }
}

function summarise(
  options: AblationOptions,
  decider: ModelDecider,
  prompts: readonly PromptResult[],
  shown: Gallery,
  gitCommit: string | undefined,
): AblationSummary {
  const { engine, sha256, tokenizer } = decider;
  const provenance = provenanceOf(options);
  const differs = costsDiffer(options);
  const rows = aggregate(
    prompts,
    tokenTexts(tokenizer, engine.config.endIds).textOf,
    options.seed,
    differs.length === 0,
  );
  const params = [...weightShapes(engine.config)].reduce((sum, [, shape]) => sum + elementsOf(shape), 0);
  return {
    schema: ABLATION_SCHEMA,
    command: commandLine(options),
    configHash: createHash('sha256').update(JSON.stringify(options)).digest('hex'),
    version: project().version,
    gitCommit,
    node: process.version,
    seed: options.seed,
    engine: `${engine.name} f32`,
    model: { name: options.model, sha256, params },
    costModel: { name: options.costModel, quant: options.quant },
    profile: {
      name: options.profile,
      sha256: profileHash(options.profile),
      fittedOrAssumed: provenance.filter(({ kind }) => kind === 'fitted' || kind === 'assumed'),
      all: provenance,
    },
    stack: STACKS.join(', '),
    prompts: {
      set: `${decider.set} held-out`,
      seed: options.seed,
      count: options.prompts,
      firstIndex: options.firstIndex,
      genLength: options.genLength,
      blockLength: options.blockLength,
    },
    rows,
    carpet: [...shown.carpets],
    timeline: [...shown.timelines],
    notes: [...(differs.length === 0 ? [] : [withheldNote(differs)]), ...notes(prompts, rows, provenance)],
  };
}

/** In what the costs of a run are not those of Table 6. Its data set never is: the rows compare an order. */
function costsDiffer({ costModel, quant, profile, genLength }: AblationOptions): Mismatch[] {
  const { soc } = openChip({ profile, stack: STACKS[0], numbers: {} }).profile;
  return mismatches(
    { ...conditionsOf('table6'), dataset: null },
    { costModel, quant, soc, genLength, dataset: null },
  );
}

/** Numbers of the hardware, and of the stacks of the rows. */
function provenanceOf(options: AblationOptions): ProvenanceEntry[] {
  const { profile } = options;
  const chips = STACKS.map((stack) => openChip({ profile, stack, numbers: {} }));
  return [
    ...provenanceEntries(chips[0].profile.provenance),
    ...chips.flatMap(({ stack }) => provenanceEntries(stack.provenance, `${stack.name}.`)),
  ];
}

function commandLine(options: AblationOptions): string {
  return [
    'dllm-npu ablate',
    ...(options.model === ABLATION_DEFAULTS.model ? [] : [`--model ${options.model}`]),
    `--prompts ${options.prompts}`,
    `--first-index ${options.firstIndex}`,
    `--seed ${options.seed}`,
    `--cost-model ${options.costModel}`,
    `--quant ${options.quant}`,
    `--profile ${options.profile}`,
    `--gen-length ${options.genLength}`,
    `--block-length ${options.blockLength}`,
    `--verify-prompts ${options.verifyPrompts}`,
    `--verify-every ${options.verifyEvery}`,
  ].join(' ');
}
