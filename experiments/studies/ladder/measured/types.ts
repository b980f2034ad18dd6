import { z } from 'zod';
import { EXECUTION_CLASSES } from '../../../../hw/record/execution-class.js';

/** Version of the ladder as it was measured on this machine. */
export const MEASURED_SCHEMA = 'dllm-npu/measured-ladder@1';

const amount = z.number().nonnegative();
const count = z.int().nonnegative();
const interval = { median: amount, low: amount, high: amount };
const times = z.strictObject({ ...interval, samples: z.array(amount).min(1) });

const rowSchema = z.strictObject({
  /** As in the simulated ladder. */
  name: z.string(),
  policy: z.string(),
  /** Of the simulated time. */
  stack: z.string(),
  memory: z.string(),
  /** Device of ggml that the row was decoded on. */
  device: z.string(),
  /** Row whose decodes these are: method and device are the same, and ggml places its memory itself. */
  measured_as: z.string().nullable(),
  /** Wall-clock ms per prompt, prompt processing and decoding rules included, loading not. */
  measured_ms: times,
  /** The same passes in simulated ms, with the model's own shapes and formats. */
  simulated_ms: times,
  /** Measured over simulated, paired by prompt. */
  ratio: z.strictObject(interval),
  /** Passes per prompt, and the share of the measured time that is not in them. */
  passes: amount,
  outside_passes: amount,
  tokens: z.strictObject({
    equal: z.boolean(),
    /** Row they were compared with. */
    against: z.string(),
    different: count,
    compared: count,
    /** Why they may differ; null where they must not. */
    reason: z.string().nullable(),
  }),
  /** The same method decoded by the f32 reference; null where it did not run. */
  reference: z.strictObject({ engine: z.string(), different: count, compared: count }).nullable(),
});

export const measuredSchema = z.strictObject({
  schema: z.literal(MEASURED_SCHEMA),
  command: z.string(),
  version: z.string(),
  gitCommit: z.string().optional(),
  node: z.string(),
  model: z.strictObject({ name: z.string(), sha256: z.string(), params: count, numerics: z.string() }),
  /** What ran where; the record of each has every pass and library. */
  devices: z.array(
    z.strictObject({
      name: z.string(),
      executionClass: z.enum(EXECUTION_CLASSES),
      threads: z.string(),
      operators: count,
      onCpu: z.record(z.string(), count),
      record: z.string(),
    }),
  ),
  /** Simulated times are those of this chip. */
  profile: z.strictObject({ name: z.string(), sha256: z.string() }),
  prompts: z.strictObject({
    set: z.string(),
    seed: count,
    count: z.int().min(1),
    firstIndex: count,
    genLength: count,
    blockLength: count,
  }),
  rows: z.array(rowSchema).min(1),
  notes: z.array(z.string()),
});

export type MeasuredLadder = z.infer<typeof measuredSchema>;
export type MeasuredRow = MeasuredLadder['rows'][number];
