import { z } from 'zod';
import { casesSchema, chipSchema, deciderSchema, methodSchema } from '../experiments/lab/setup.js';
import { ownMemory } from '../sim/memory/own-mode.js';
import { stackByName } from '../sim/stacks/registry.js';
import { ENGINE_NAMES, ENGINES, type EngineName } from '../src/engine/registry.js';
import { QUANTS } from '../src/model/precision.js';
import { QUANT_RECIPE_NAMES } from '../src/model/quant-recipes.js';
import type { Effect } from './command.js';
import { MAX_POSITIONS, MAX_PROBLEMS, MAX_ROWS } from './limits.js';

// Options that several commands have, each declared once: where a setup has the field, from its schema.

/** What is timed on what. */
export const chip = {
  ...chipSchema.shape,
  numbers: chipSchema.shape.numbers
    .describe('replace a number, e.g. stack.cpuThreads=4 (`hardware explain`); repeatable')
    .meta({ flag: 'set', value: 'number=value' }),
};

/** A reading of SOMR's residents means nothing to the other ways into the window. */
export const chipEffects: Effect<{
  readonly placement: unknown;
  readonly stack: string;
  readonly memory?: string;
}>[] = [
  {
    options: ['placement'],
    when: ({ memory, stack }) => (memory ?? ownMemory(stackByName(stack))) === 'somr',
    because: 'it is of --memory somr',
  },
];

/** The same for commands that run no model, where `--model` can only mean the one that is timed. */
/** The same where only names are taken. */
export const namedChip = { ...chip, costModel: chip.costModel.meta({ alias: 'model' }) };

/** A model of any kind: a file, or a name with the formats of a recipe. See timed-machine.ts. */
export const timedChip = {
  ...chip,
  costModel: chip.costModel
    .describe('model whose shapes are timed: a name, a .gguf file, a directory or a config.json')
    .meta({ alias: 'model' }),
  quant: z
    .enum([...QUANTS, ...QUANT_RECIPE_NAMES])
    .optional()
    .describe(
      `formats of the weights: one throughout, or a recipe of llama-quantize: ${[...QUANTS, ...QUANT_RECIPE_NAMES].join(', ')}`,
    )
    .meta({ defaultText: 'q4_0; of a .gguf file, its own' }),
  memory: chip.memory
    .removeDefault()
    .optional()
    .describe(
      "how weights beyond the address window come in (default: the stack's own way, somr of llada.cpp, on-demand of llama.cpp-hexagon)",
    ),
};

/** One pass of a diffusion model. */
export const step = {
  rows: z.int().min(1).max(MAX_ROWS).default(32).describe('rows of the step'),
  context: z
    .int()
    .min(0)
    .max(MAX_POSITIONS)
    .default(0)
    .describe('cached prefix positions the rows attend to'),
};

/** A request that is answered one token a pass. */
export const request = {
  prompt: z.int().min(1).max(MAX_POSITIONS).describe('tokens of the prompt'),
  answer: z.int().min(0).max(MAX_POSITIONS).describe('tokens of the answer, one a pass'),
};

/** Rows of a pass that get logits. */
export const logitsRows = z
  .int()
  .min(0)
  .max(MAX_ROWS)
  .optional()
  .describe('rows that get logits (default: all)');

/** What runs a model. */
export const engine = {
  engine: deciderSchema.shape.engine,
  backend: deciderSchema.shape.backend,
  // Runs that are kept have one thread unless they say otherwise; a command uses what the machine has.
  threads: deciderSchema.shape.threads
    .removeDefault()
    .optional()
    .describe(
      'threads of ort (default: 1) and ggml (default: all, or as many as a pass can use); sums may differ with their number',
    ),
  device: deciderSchema.shape.device,
  compute: deciderSchema.shape.compute,
};

const ENGINE_SETTINGS = ['backend', 'threads', 'compute', 'device'] as const;

type EngineInput = Readonly<Partial<Record<(typeof ENGINE_SETTINGS)[number], unknown>>>;

/** Settings of an engine are refused where no engine that runs uses them. @param running those that run */
export function engineEffects<Input>(
  running: (input: Input) => readonly EngineName[],
): Effect<Input & EngineInput>[] {
  const uses = (name: EngineName): readonly string[] => ENGINES[name].uses;
  return ENGINE_SETTINGS.map((option) => ({
    options: [option],
    when: (input) => running(input).some((name) => uses(name).includes(option)),
    because: `it is of ${ENGINE_NAMES.filter((name) => uses(name).includes(option)).join(' and ')}`,
  }));
}

export const model = z
  .string()
  .min(1)
  .default('tiny-llada')
  .describe('shipped model, directory or .gguf file');

export const seed = casesSchema.shape.seed.describe('seed of the problems');

export const genLength = casesSchema.shape.genLength;

/** Held-out problems of the shipped task, and who answers them how; shared by commands that compare something. */
export const problems = {
  policy: methodSchema.shape.policy.describe('decoding policy, see `policies`'),
  options: methodSchema.shape.options
    .describe('change an option of the policy, e.g. commit.visible=0.8; repeatable')
    .meta({ flag: 'option', value: 'path=value' }),
  cases: casesSchema.shape.cases
    .removeDefault()
    .max(MAX_PROBLEMS)
    .default(1)
    .describe('held-out problems of the shipped task')
    .meta({ alias: 'n' }),
  firstCase: casesSchema.shape.firstCase
    .describe('index of the first problem')
    .meta({ alias: 'first-index' }),
  seed,
  model,
  genLength,
  blockLength: methodSchema.shape.blockLength,
};

/** Several policies. */
export const policies = z
  .array(z.string().min(1))
  .optional()
  .describe('comma-separated (default: all that fit the model)')
  .meta({ value: 'names' });

/** How runs are made, and where they are kept. */
export const runs = {
  jobs: z.int().min(0).max(256).default(2).describe('worker threads; 0 = none. Results do not depend on it'),
  results: path('where runs are kept, in runs/: what is there is not made again (default: ./results)', 'dir'),
};

/** A switch. */
export function flag(text: string): z.ZodDefault<z.ZodBoolean> {
  return z.boolean().default(false).describe(text);
}

/** A directory below the current folder that results go to. */
export function outDirectory(place: string, text: string): z.ZodDefault<z.ZodString> {
  return z.string().min(1).default(place).describe(text).meta({ value: 'dir' });
}

/** A file, or with `value` a directory, that may be left out. */
export function path(text: string, value = 'file'): z.ZodOptional<z.ZodString> {
  return z.string().min(1).optional().describe(text).meta({ value });
}
