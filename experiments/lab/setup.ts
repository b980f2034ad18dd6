import { z } from 'zod';
import { MEMORY_MODES } from '../../sim/memory/runtime.js';
import { PLACEMENT_READINGS } from '../../sim/memory/somr-plan.js';
import { describeEngines, ENGINE_NAMES } from '../../src/engine/registry.js';
import { TFJS_BACKENDS } from '../../src/engine/tfjs/backends.js';
import { UsageError } from '../../src/errors.js';
import { QUANTS } from '../../src/model/precision.js';
import { COMPUTES } from '../../src/onnx/compute.js';
import { SCORER_FORMS } from '../../src/score/scorers/registry.js';
import { DECIDER_FORMS } from './deciders/name.js';

/** Who decides: a model run by an engine, a recorded decode, or a confidence process. */
export const deciderSchema = z.object({
  workload: z.string().min(1).default('tiny-llada').describe(`who decides: ${DECIDER_FORMS}`),
  engine: z.enum(ENGINE_NAMES).default('tfjs').describe(`what runs a model; ${describeEngines()}`),
  backend: z.enum(TFJS_BACKENDS).default('wasm').describe('backend of tfjs'),
  threads: z
    .int()
    .min(1)
    .max(256)
    .default(1)
    .describe('threads of ort and ggml: sums may differ with their number'),
  device: z
    .string()
    .min(1)
    .optional()
    .describe('device of ggml: cpu (default), vulkan0, metal, htp0 ...; see `device doctor`')
    .meta({ value: 'name' }),
  compute: z
    .enum(COMPUTES)
    .default('f32')
    .describe('quantised products of ort: f32 (exact) or int8 (faster)'),
  data: z
    .string()
    .min(1)
    .optional()
    .describe('JSON Lines of questions with answers, in place of the held-out problems')
    .meta({ value: 'file' }),
  scorer: z
    .string()
    .min(1)
    .optional()
    .describe(`judges the answers to them: ${SCORER_FORMS.join(', ')} (default: by their form)`),
  template: z
    .string()
    .min(1)
    .optional()
    .describe(
      "around a text: file (the model's own template), chat (its family's), plain, none, or a template's name (default: file if there is one)",
    ),
  maskToken: z
    .string()
    .min(1)
    .optional()
    .describe("what stands for a mask in a prompt, beside the model's own; masks are filled in")
    .meta({ value: 'text' }),
  maskShare: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe('data is texts, one a line: this share of the tokens of each is masked, and filled in'),
  maskDraws: z.int().min(1).max(1000).optional().describe('maskings of every text (default: 1)'),
});

/** How it decodes. */
export const methodSchema = z.object({
  policy: z.string().min(1).default('llada.cpp').describe('decoding policy by name, or a .json file of one'),
  options: z
    .record(z.string(), z.json())
    .default({})
    .describe('options of the policy to change, by path: {"commit.visible": 0.8}'),
  blockLength: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .describe("positions per block (default: the policy's own)"),
});

/** What is timed on what. The defaults are the paper's: LLaDA-8B in Q4_0 by llada.cpp on SM8750. */
export const chipSchema = z.object({
  costModel: z.string().min(1).default('llada-8b').describe('model whose shapes are timed'),
  quant: z.enum(QUANTS).default('q4_0').describe('weight format that is timed'),
  profile: z.string().min(1).default('sm8750').describe('hardware profile, or path of one'),
  stack: z
    .string()
    .min(1)
    .default('llada.cpp')
    .describe('software stack, see `hardware stacks`, or path of one'),
  memory: z.enum(MEMORY_MODES).default('somr').describe('how weights beyond the address window come in'),
  placement: z
    .enum(PLACEMENT_READINGS)
    .default('global')
    .describe('residents of SOMR: one set, or alternating by phase'),
  numbers: z
    .record(
      z.string().regex(/^(profile|stack)\./, 'a number is named profile.NAME or stack.NAME'),
      z.union([z.number(), z.string()]),
    )
    .default({})
    .describe('numbers to replace: {"profile.npu.dmaRate": "60 GB/s", "stack.headSpeedup": 4}'),
});

/** What is asked: held-out problems of a model, seeds of a confidence process, recorded prompts. */
export const casesSchema = z.object({
  seed: z.int().min(0).default(1).describe('seed of the problems, or of the process'),
  firstCase: z.int().min(0).default(0).describe('index of the first case'),
  cases: z.int().min(1).max(1_000_000).default(1).describe('number of cases'),
  genLength: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(128)
    .describe('positions to generate behind the prompt; 0 only fills in masks'),
});

/** Everything that the result of a decode on a machine depends on. */
export const setupSchema = z.strictObject({
  ...deciderSchema.shape,
  ...methodSchema.shape,
  ...chipSchema.shape,
  ...casesSchema.shape,
});

/** Each part's schema picks its own fields of a setup and fills in what is left out. */
export type DeciderSetup = z.infer<typeof deciderSchema>;
export type MethodSetup = z.infer<typeof methodSchema>;
export type ChipSetup = z.infer<typeof chipSchema>;
export type CasesSetup = z.infer<typeof casesSchema>;
export type Setup = z.infer<typeof setupSchema>;
/** A setup as a user writes it: what is left out has its default. */
export type SetupInput = z.input<typeof setupSchema>;

/** Keys of sweep files written before, and what they are called now. */
const RENAMED: Readonly<Record<string, string>> = { prompts: 'cases', firstPrompt: 'firstCase' };
const RENAMED_NUMBERS: Readonly<Record<string, string>> = {
  profileNumbers: 'profile',
  stackNumbers: 'stack',
};

/**
 * A raw configuration under the names of today: files of earlier versions go on working.
 * @throws UsageError for an option that no longer exists, or one given under both names
 */
export function withTodaysNames(raw: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const named: Record<string, unknown> = {};
  const numbers: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(raw)) {
    if (key === 'fidelity') {
      throw new UsageError('option fidelity no longer exists: every run is timed event by event; remove it');
    }
    const part = RENAMED_NUMBERS[key];
    if (part !== undefined && typeof value === 'object' && value !== null) {
      for (const [name, number] of Object.entries(value)) numbers[`${part}.${name}`] = number;
      continue;
    }
    const today = RENAMED[key] ?? key;
    if (today !== key && today in raw) throw new UsageError(`${key} is the old name of ${today}: give one`);
    named[today] = value;
  }
  if (Object.keys(numbers).length === 0) return named;
  return { ...named, numbers: { ...(named.numbers as object | undefined), ...numbers } };
}
