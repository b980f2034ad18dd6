import { join } from 'node:path';
import { z } from 'zod';
import { DataError } from '../errors.js';
import { unknownName } from '../util/nearest.js';
import { project } from '../util/project-root.js';
import { parseAs, readJsonAs } from '../util/read-file.js';
import type { ModelConfig } from './config.js';
import type { Family } from './families/family.js';
import { ARCHITECTURES } from './families/index.js';
import type { Facts } from './families/shared/facts.js';

const layerSchema = z.strictObject({
  mixer: z.enum(['attention', 'shared-kv', 'short-conv', 'gated-delta']),
  headDim: z.number().optional(),
  kvHeads: z.number().optional(),
  keysAsValues: z.boolean().optional(),
  window: z.number().optional(),
  ffn: z.number().optional(),
  dense: z.boolean().optional(),
});

/** Runs of layers: how many times, and which layers. */
const runsSchema = z
  .array(z.tuple([z.number().int().positive(), z.array(layerSchema)]))
  .transform((runs) => runs.flatMap(([times, layers]) => Array.from({ length: times }, () => layers).flat()));

const timedSchema = z
  .strictObject({
    layers: runsSchema,
    convTaps: z.number().optional(),
    delta: z
      .strictObject({
        keyHeads: z.number(),
        valueHeads: z.number(),
        keyDim: z.number(),
        valueDim: z.number(),
      })
      .optional(),
    gatedAttention: z.boolean().optional(),
    selfConditioning: z.number().optional(),
    layerInput: z.number().optional(),
  })
  .transform(({ layers, ...rest }) => ({ shapes: layers, ...rest }));

const count = z.number().int().nonnegative();
const fields = {
  /** Where the numbers are from. */
  source: z.string(),
  note: z.string(),
  arch: z.enum(ARCHITECTURES),
  layers: count,
  hidden: count,
  heads: count,
  kvHeads: count,
  headDim: count,
  ffn: count,
  vocab: count,
  ropeTheta: z.number().positive(),
  ropeDims: count,
  ropeScaling: z.strictObject({
    kind: z.literal('yarn'),
    factor: z.number(),
    originalContext: count,
    betaFast: z.number(),
    betaSlow: z.number(),
    attentionFactor: z.number(),
  }),
  alsoCausal: z.boolean(),
  draftAdapter: z.strictObject({ rank: count }),
  rmsEps: z.number().positive(),
  qkvBias: z.boolean(),
  outputBias: z.boolean(),
  ffnBias: z.boolean(),
  qkNorm: z.boolean(),
  tiedHead: z.boolean(),
  moe: z.strictObject({
    experts: count,
    expertsPerToken: count,
    expertFfn: count,
    renormalise: z.boolean(),
    grouped: z
      .strictObject({ groups: count, groupsPerToken: count, expertScale: z.number().positive() })
      .optional(),
    sharedFfn: count.optional(),
    denseLayers: count.optional(),
  }),
  encoder: z.strictObject({
    embeddingWidth: count,
    tokenTypes: count,
    gelu: z.enum(['gelu', 'gelu_new']),
  }),
  timed: timedSchema,
  shiftLogits: z.boolean(),
  attention: z.enum(['bidirectional', 'causal', 'block-causal']),
  blockLength: count,
  contextLength: count,
  maskId: count.nullable(),
  bosId: count.nullable(),
  endIds: z.array(count),
};

const presetSchema = z
  .strictObject({ name: z.string(), ...fields })
  .partial({
    note: true,
    outputBias: true,
    ffnBias: true,
    blockLength: true,
    ropeDims: true,
    ropeScaling: true,
    alsoCausal: true,
    draftAdapter: true,
    moe: true,
    encoder: true,
    timed: true,
  })
  .transform(({ source: _, note: __, ...config }): ModelConfig => config);

const entrySchema = z.looseObject({ extends: z.string().optional() });
const fileSchema = z.strictObject({
  schema: z.literal('dllm-npu/shapes@1'),
  /** What several models have in common. */
  bases: z.record(z.string(), entrySchema),
  models: z.array(entrySchema.extend({ name: z.string() })),
  /** Other names of the same shapes: fine-tunes, and models that differ in less than the machine looks at. */
  aliases: z.record(z.string(), z.string()),
});

interface Presets {
  readonly names: readonly string[];
  /** Checks an entry when it is first asked for: a step of one model need not wait for a hundred. */
  readonly config: (name: string) => ModelConfig | undefined;
  readonly aliases: Readonly<Record<string, string>>;
}

let loaded: Presets | undefined;

/** Shapes of published models, shapes.json. Autoregressive ones have been measured on NPUs by others. */
function presets(): Presets {
  loaded ??= loadPresets(join(project().root, 'src/model/shapes.json'));
  return loaded;
}

function loadPresets(path: string): Presets {
  const { bases, models, aliases } = readJsonAs(path, fileSchema);
  const inherited = (entry: z.infer<typeof entrySchema>): Record<string, unknown> => {
    const { extends: base, ...own } = entry;
    if (base === undefined) return own;
    const found = bases[base];
    if (found === undefined) throw new DataError(`${path}: no base ${base}`);
    return { ...inherited(found), ...own };
  };
  const entries = new Map(models.map((entry) => [entry.name, entry]));
  const checked = new Map<string, ModelConfig>();
  const config = (name: string): ModelConfig | undefined => {
    const entry = entries.get(name);
    const known = checked.get(name);
    if (entry === undefined || known !== undefined) return known;
    const found = parseAs(inherited(entry), presetSchema, `${path}: ${name}`);
    checked.set(name, found);
    return found;
  };
  return { names: [...entries.keys()], config, aliases };
}

/** Names `resolvePreset` knows, in the order they are listed to users. */
export function presetNames(): readonly string[] {
  return presets().names;
}

/**
 * Shapes of a published model by name, e.g. `llada-8b`, `dream-7b`, `llada-moe-7b-a1b`, `llama-3-8b`, `qwen3-4b`.
 * @throws UsageError naming the nearest known names
 */
export function resolvePreset(name: string): ModelConfig {
  const config = find(name);
  if (config === undefined) throw unknownName('model', name, presetNames());
  return config;
}

/** Whether `resolvePreset` knows a name. */
export function isPresetName(name: string): boolean {
  return find(name) !== undefined;
}

function find(name: string): ModelConfig | undefined {
  const { config, aliases } = presets();
  const asked = name.toLowerCase();
  return config(aliases[asked] ?? asked);
}

/** Ids of mask and end in the vocabulary of a family's published model; none in a vocabulary of another size. */
export function publishedTokens({ published }: Family, vocab: number | undefined): Facts {
  const config = resolvePreset(published);
  return config.vocab === vocab ? { maskId: config.maskId ?? undefined, endIds: config.endIds } : {};
}
