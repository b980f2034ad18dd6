import { reachedExperts } from '../../sim/machine/lower/moe.js';
import { inBlocksOf, misfit } from '../../src/decode/method/fits.js';
import type { PolicySpec } from '../../src/decode/spec.js';
import { UsageError } from '../../src/errors.js';
import { weightBytes } from '../../src/model/closed-forms.js';
import type { ModelConfig } from '../../src/model/config.js';
import type { MoeOp } from '../../src/model/graph.js';
import { precisionFor } from '../../src/model/precision.js';
import { resolvePreset } from '../../src/model/presets.js';
import { PREFIX_SET } from '../../src/pass/shape.js';
import { rowsOf } from '../comparison/columns.js';
import { series } from '../comparison/compare.js';
import type { Decodes } from '../comparison/decodes.js';
import { defineStudy } from '../comparison/study.js';
import { DECIDED, PAPER_WORKLOAD, WHO_DECIDED } from '../comparison/words.js';
import type { Workbench } from '../comparison/workbench.js';
import { valueMap } from '../figures/value-map.js';
import { chipWords, modelWords } from '../figures/words.js';
import { meanSeconds, variant } from '../lab/decode-statistics.js';
import { type ChipSetup, chipSchema } from '../lab/setup.js';
import { FULL_SYSTEM } from './ladder/ladder.js';

/** One of each family, in sizes that people run or would like to run on a phone. */
const MODELS = [
  'llada-8b',
  'dream-7b',
  'llada-moe-7b-a1b',
  'llada2-mini',
  'sdar-1.7b',
  'sdar-8b',
  'fast-dllm-v2-7b',
  'wedlm-8b',
  'nemotron-labs-diffusion-8b',
] as const;

const PHONES = ['sm8650', 'sm8750', 'sm8850'] as const;

/** Cases where nobody says how many: what is looked at is the spread between models, not that between cases. */
const CASES = 4;

/** Cached positions of the step that is taken apart. */
const CONTEXT = 200;
const MIB = 2 ** 20;

type Setting = readonly [PolicySpec, ChipSetup['memory']];

/** A technique, and what it is added to. */
interface Rung {
  readonly technique: string;
  readonly before: Setting;
  readonly added: Setting;
}

/** The paper's rungs over a first policy, those in between taken from `own` where a model needs its own form of them. */
function ladder(
  base: PolicySpec,
  own: { readonly staged?: PolicySpec; readonly skipping?: PolicySpec } = {},
): Rung[] {
  const mbsd = variant('mbsd-drafts-masked');
  const staged = own.staged ?? variant('mbsd-sts-drafts-masked');
  const skipping = own.skipping ?? variant('mbsd-sts-sls-drafts-masked');
  return [
    { technique: 'SOMR', before: [base, 'on-demand'], added: [base, 'somr'] },
    { technique: 'MBSD', before: [base, 'somr'], added: [mbsd, 'somr'] },
    { technique: 'STS', before: [own.staged === undefined ? mbsd : base, 'somr'], added: [staged, 'somr'] },
    { technique: 'SLS', before: [staged, 'somr'], added: [skipping, 'somr'] },
    { technique: 'SCR', before: [skipping, 'somr'], added: [variant(FULL_SYSTEM), 'somr'] },
  ];
}

/** Exact speculation changes nothing but forwards, so it goes with any block of any attention. */
function exactOn(base: PolicySpec): Rung {
  const { speculate } = variant('exact-speculation');
  const added = { ...base, name: `${base.name} with exact speculation`, speculate };
  return { technique: 'exact speculation', before: [base, 'somr'], added: [added, 'somr'] };
}

/**
 * What is asked of a model. One that sees its block alone, or only what is left of a row, is asked for the paper's rungs as well: the
 * row then says why it cannot be run, and staging and skipping stand in their form inside a block.
 */
function rungsOf(model: ModelConfig): Rung[] {
  if (model.attention === 'causal') return ladder(variant('autoregressive'));
  if (model.attention === 'bidirectional')
    return [...ladder(variant('block-kv')), exactOn(variant('block-kv'))];
  const inBlocks = (changes: Readonly<Record<string, unknown>>): PolicySpec =>
    inBlocksOf(variant('block-causal', changes), model);
  const base = inBlocks({ 'commit.kind': 'quota' });
  const staged = inBlocks({ 'commit.kind': 'staged' });
  const skipping = inBlocks({ 'commit.kind': 'staged', logits: 'active' });
  return [...ladder(base, { staged, skipping }), exactOn(base)];
}

/** Mean seconds of an answer, or why there are none. */
async function secondsOf(
  bench: Workbench,
  open: () => Promise<Decodes>,
  model: ModelConfig,
  profile: string,
  [spec, memory]: Setting,
): Promise<number | string> {
  // Which token is the mask, and which row predicts which, does not matter to a clock.
  const why = misfit(spec, { ...model, maskId: model.maskId ?? 0, shiftLogits: false });
  if (why !== null) return why;
  if (model.attention === 'causal') return 'the confidence process decides masks, not next tokens';
  const { quant } = bench.options;
  const chip = chipSchema.parse({ costModel: model.name, quant, profile, stack: 'llada.cpp', memory });
  try {
    return meanSeconds(await (await open()).runOn(spec, chip, bench.options.prompts ?? CASES));
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
}

/** One step of a model's block in steady state. */
function stepOf(bench: Workbench, model: ModelConfig, profile: string, rows: number) {
  const { quant } = bench.options;
  const machine = bench.lab.machine(
    chipSchema.parse({ costModel: model.name, quant, profile, stack: 'llada.cpp', memory: 'somr' }),
  );
  const shape = { rows, kvSets: [{ name: PREFIX_SET, length: CONTEXT }], logitsRows: rows, masked: false };
  machine.timePass(shape);
  const { counters } = machine.timePass(shape);
  const { ms, parts } = machine.stepBreakdown();
  const head = parts.reduce((sum, { name, ms: own }) => (name.endsWith(' head') ? sum + own : sum), 0);
  return {
    ms,
    headShare: head / ms,
    stagedMib: (counters?.stagedBytes ?? 0) / MIB,
  };
}

/** Experts that the rows of a block reach under uniform routing; null without experts. */
function expertsReached({ moe }: ModelConfig, rows: number): number | null {
  return moe === undefined ? null : reachedExperts({ ...moe, rows } as MoeOp);
}

interface Row {
  readonly model: string;
  readonly family: string;
  readonly attention: string;
  readonly phone: string;
  readonly technique: string;
  readonly runs: boolean;
  /** Why it does not run. */
  readonly why: string | null;
  readonly before_s: number | null;
  readonly seconds: number | null;
  readonly gain: number | null;
  readonly block_rows: number;
  readonly step_ms: number | null;
  readonly head_share: number | null;
  readonly weights_mib: number;
  readonly staged_mib_per_step: number | null;
  readonly experts: number | null;
  readonly experts_reached_per_layer: number | null;
}

async function rowsFor(
  bench: Workbench,
  open: () => Promise<Decodes>,
  name: string,
  phone: string,
): Promise<Row[]> {
  const model = resolvePreset(name);
  const rows = model.attention === 'causal' ? 1 : (model.blockLength ?? 32);
  const bytes = weightBytes(model, precisionFor(bench.options.quant));
  // The embedding is looked up on the CPU.
  const weights = (bytes.body + bytes.head + (model.tiedHead ? bytes.embedding : 0)) / MIB;
  let step: ReturnType<typeof stepOf> | string;
  try {
    step = stepOf(bench, model, phone, rows);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    step = error.message;
  }
  const timed = typeof step === 'string' ? null : step;
  const made: Row[] = [];
  for (const { technique, before, added } of rungsOf(model)) {
    const without = await secondsOf(bench, open, model, phone, before);
    const seconds = await secondsOf(bench, open, model, phone, added);
    const why = [seconds, without].find((found) => typeof found === 'string');
    const ran = typeof seconds === 'number' && typeof without === 'number';
    made.push({
      model: name,
      family: model.arch,
      attention: model.attention,
      phone,
      technique,
      runs: ran,
      why: ran || typeof why !== 'string' ? null : why,
      before_s: ran ? without : null,
      seconds: ran ? seconds : null,
      gain: ran ? without / seconds : null,
      block_rows: rows,
      step_ms: timed?.ms ?? null,
      head_share: timed?.headShare ?? null,
      weights_mib: weights,
      staged_mib_per_step: timed?.stagedMib ?? null,
      experts: model.moe?.experts ?? null,
      experts_reached_per_layer: expertsReached(model, rows),
    });
  }
  return made;
}

function columnsOf(rows: readonly Row[]) {
  const column = <K extends keyof Row>(key: K): Row[K][] => rows.map((row) => row[key]);
  return {
    model: column('model'),
    family: column('family'),
    attention: column('attention'),
    phone: column('phone'),
    technique: column('technique'),
    why: column('why'),
    before_s: column('before_s'),
    seconds: column('seconds'),
    gain: column('gain'),
    block_rows: column('block_rows'),
    step_ms: column('step_ms'),
    head_share: column('head_share'),
    weights_mib: column('weights_mib'),
    staged_mib_per_step: column('staged_mib_per_step'),
    experts: column('experts'),
    experts_reached_per_layer: column('experts_reached_per_layer'),
  };
}

/** Which technique still pays on the models of 2026. */
export const generality = defineStudy({
  name: 'generality',
  title: 'The techniques on the models of 2026: what each adds, on three phones',
  paper: null,
  runs: `${MODELS.length} models in their own shapes and blocks on ${PHONES.join(', ')}; {tokens} tokens, llada.cpp, each technique over the rung before it`,
  workload: PAPER_WORKLOAD,
  stacks: ['llada.cpp'],
  measure: async (bench, open) => {
    const rows: Row[] = [];
    for (const [at, model] of MODELS.entries()) {
      bench.hooks.onProgress?.(at, MODELS.length);
      for (const phone of PHONES) rows.push(...(await rowsFor(bench, open, model, phone)));
    }
    return columnsOf(rows);
  },
  derive: (ours) => ({
    needs_swapping: ours.staged_mib_per_step.map((staged) => (staged === null ? null : Number(staged > 0))),
  }),
  formulas: { needs_swapping: '1 where staged_mib_per_step is more than 0' },
  compare: (ours) =>
    series(
      ours.model.map((model, i) => `${model}, ${ours.phone[i]}: ${ours.technique[i]}`),
      (name) => name,
      { unit: 'x', ours: ours.gain.map((gain) => gain ?? Number.NaN), kind: DECIDED },
    ).filter((_, i) => ours.gain[i] !== null),
  table: ({ needs_swapping, ...ours }) => {
    const runs = ours.why.map((why) => why === null);
    return rowsOf({
      ...ours,
      needs_swapping: needs_swapping.map((yes) => (yes === null ? null : yes === 1)),
      runs,
    });
  },
  notes: [
    WHO_DECIDED,
    'Model and chip are those of each row: --cost-model and --profile do not matter here.',
    'The same process decides for every model: what differs between them is their shapes, their blocks, and what may be shown to them. What their own confidences would do is not known here.',
    'Rows of routed experts are spread evenly in the machine. A trained router is not even, so fewer experts are reached and staged than these rows say.',
  ],
  figure: (ours) =>
    valueMap(
      ours.model.map((model, i) => ({
        row: modelWords(model),
        column: ours.technique[i],
        group: chipWords(ours.phone[i]),
        value: ours.gain[i],
      })),
      'What each technique adds, by model and chip (–: does not run)',
      'seconds before / seconds with the technique',
    ),
});
