import type { ModelConfig } from '../../src/model/config.js';
import type { Quant } from '../../src/model/precision.js';
import type { QuantRecipe } from '../../src/model/quant-recipes.js';
import type { MemoryMode } from '../memory/runtime.js';
import type { PublishedRow } from './published.js';
import { chipOf } from './reading/chips.js';
import { encoderOf } from './reading/embedders.js';
import { cpuStacks, engineOf, memoryOf, passRowsOf, threadsOf } from './reading/engines.js';
import { formatOf, formatSaid, recipeOf } from './reading/formats.js';
import { modelOf } from './reading/models.js';
import { NotModelled } from './reading/refusal.js';
import { type Measure, measureOf } from './reading/units.js';
import { type Work, workOf } from './reading/work.js';

/** A measurement as something the machine can time. Rules look at what a row says, never at which row it is. */
export interface Case {
  /** The first one is taken, the others lie in the range. */
  readonly profiles: readonly string[];
  readonly stacks: readonly string[];
  /** Null for an operator on its own. */
  readonly shapes: ModelConfig | null;
  readonly quant: Quant;
  /** Of the head, where the row names another format than for the body. */
  readonly headQuant: Quant;
  /** Bytes of a weight over those of `quant`: least and most. */
  readonly bytesScale: readonly [number, number];
  /** The mixture of a file of llama.cpp, in place of one format; null elsewhere. */
  readonly recipe: QuantRecipe | null;
  /** CPU threads poll between operators, as the Snapdragon scripts of llama.cpp let them. */
  readonly polls: boolean;
  readonly memory: MemoryMode;
  /** CPU threads, where the row names them. */
  readonly threads: number | null;
  /** Most rows of a prompt pass, where the row names them. */
  readonly passRows: number | null;
  readonly work: Work;
  readonly measure: Measure;
  /** The chip is timed as another one. */
  readonly standIn: boolean;
  /** The model's shapes are those of another model of its size. */
  readonly substitute: boolean;
  /** The engine is known only by its kind. */
  readonly unfamiliar: boolean;
  /** What the row does not say, and what was taken for it. */
  readonly notes: readonly string[];
}

export type Interpretation = { readonly case: Case } | { readonly reason: string };

/** What to time for a published row, or why it cannot be timed. */
export function interpret(row: PublishedRow): Interpretation {
  try {
    return { case: read(row) };
  } catch (error) {
    if (error instanceof NotModelled) return { reason: error.message };
    throw error;
  }
}

/** A rate of tokens that come one by one, which no diffusion model has. */
function fromLeft({ phase, metric }: PublishedRow): boolean {
  return (
    /decod|generat|\btg\d*\b|\beval|chat/i.test(`${phase} ${metric}`) &&
    !/step|denois|forward/i.test(`${phase} ${metric}`)
  );
}

/** Stacks that run files of llama.cpp. */
const GGML = /^(llama\.cpp|cpu$|cpu-gemm$|gpu$)/;

function read(row: PublishedRow): Case {
  const engine = engineOf(row);
  const [stack] = engine.stacks;
  const measure = measureOf(row);
  const work = workOf(row, stack);
  const chip = chipOf(row);
  const recipe =
    GGML.test(stack) && /llama|ggml|hexagon|htp/i.test(row.engine) && work.kind !== 'kernel'
      ? recipeOf(formatSaid(row))
      : null;
  const said = formatSaid(row);
  const format = formatOf(said, row.engine, Number.parseFloat(row.params_b));
  const model = work.kind === 'kernel' ? null : work.kind === 'embed' ? encoderOf(row) : modelOf(row);
  if (model !== null && model.shapes.maskId !== null && (work.kind === 'request' || fromLeft(row)))
    throw new NotModelled(
      'an answer of a diffusion model takes as many steps as its policy needs: only a step of stated rows is timed',
    );
  if (work.kind === 'kernel' && ['rate', 'tokens per joule', 'energy', 'power'].includes(measure.quantity))
    throw new NotModelled(`unit "${row.unit}" of a kernel is not modelled`);
  if (work.kind === 'decode' && measure.quantity === 'energy' && measure.per === 'all' && work.passes === 1)
    throw new NotModelled('the energy of how many tokens is not stated');
  const lengths =
    work.kind === 'prefill' || work.kind === 'embed'
      ? [work.tokens]
      : work.kind === 'decode'
        ? [work.context]
        : work.kind === 'request'
          ? [work.prompt, work.answer]
          : [];
  return {
    profiles: chip.profiles,
    standIn: chip.standIn,
    stacks: stack === 'cpu' ? cpuStacks(row) : engine.stacks,
    shapes: model?.shapes ?? null,
    quant: format.quant,
    headQuant: format.headQuant,
    // A recipe has the bytes of its own tensors.
    bytesScale: recipe === null ? format.bytesScale : [1, 1],
    recipe,
    // Those who develop the backend run it by its scripts.
    polls:
      stack.startsWith('llama.cpp-hexagon') &&
      /ggml-org\/llama\.cpp\/pull\/|llama\.cpp docs/.test(row.source),
    memory: work.kind === 'kernel' ? 'unlimited' : memoryOf(row, stack),
    threads: threadsOf(row.engine),
    passRows: passRowsOf(row.engine),
    work,
    measure,
    substitute: model?.substitute ?? false,
    unfamiliar: engine.unfamiliar,
    notes: [chip.note, engine.note, format.note, model?.note, ...lengths.map(({ note }) => note)].filter(
      (note): note is string => typeof note === 'string',
    ),
  };
}
