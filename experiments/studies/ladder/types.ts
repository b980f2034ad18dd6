import { z } from 'zod';

/**
 * The result of an ablation run, as it is written to `summary.json`. One schema serves the writer, the printer,
 * the figures and the report, so that a number can only be shown if it is in the file.
 *
 * Units are in the names; fractions are 0..1; absent knowledge is null, never 0.
 */

export const ABLATION_SCHEMA = 'dllm-npu/ablation@1';

const finite = z.number().refine(Number.isFinite, 'must be finite');
const nonNegative = finite.min(0);
const fraction = finite.min(0).max(1);
const count = z.int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be a lower-case SHA-256');

/** A central value with an interval that contains it. */
const intervalFields = { median: nonNegative, low: nonNegative, high: nonNegative };

const endsSchema = z
  .strictObject({ low: nonNegative, high: nonNegative })
  .refine(({ low, high }) => low <= high, 'low <= high');

export const latencySchema = z
  .strictObject({ ...intervalFields, samples: z.array(nonNegative).min(1) })
  .refine((l) => l.low <= l.median && l.median <= l.high, 'low <= median <= high');

/** Successes of `n` trials with their Wilson interval. */
export const proportionSchema = z
  .strictObject({ successes: count, n: count.min(1), low: fraction, high: fraction })
  .refine((p) => p.successes <= p.n, 'successes <= n');

/** How a number is known (design: every hardware number carries its kind). */
export const provenanceKindSchema = z.enum(['measured', 'vendor', 'derived', 'fitted', 'assumed']);

export const provenanceEntrySchema = z.strictObject({
  /** Dotted path of the number in its profile, e.g. `dma.rate`. */
  name: z.string(),
  kind: provenanceKindSchema,
  /** With unit, as the profile states it, e.g. `60 GB/s`. */
  value: z.string(),
  source: z.string(),
  /** For swept unknowns, e.g. `0 ms .. 5 ms`. */
  range: z.string().optional(),
  /** How the value was obtained from its source. */
  note: z.string().optional(),
});

export const divergenceSchema = z.strictObject({
  /** Index of the prompt in its set. */
  prompt: count,
  /** Position in the generated text, 0-based. */
  position: count,
  /** Step of the row's own decode that fixed the diverging token; null if unknown. */
  step: count.nullable(),
  /** Token text (or `#id` when it has none) of the reference and of this row. */
  expected: z.string(),
  got: z.string(),
});

export const tokenExactSchema = z.strictObject({
  verdict: z.enum(['exact', 'diverges', 'not-expected']),
  /** What it was compared with, e.g. `CPU + prefix KV`. */
  against: z.string(),
  /** Why exactness is not expected, or why it diverges. */
  reason: z.string().optional(),
  firstDivergence: divergenceSchema.optional(),
  /** Share of generated positions whose token equals the reference's. */
  agreement: fraction.optional(),
  /**
   * The row against its own specification: every scored row of some prompts recomputed in f32 as one masked
   * forward, without cache, window or order.
   */
  specification: z
    .strictObject({ prompts: count, rows: count, mismatches: count, maxConfidenceError: nonNegative })
    .optional(),
});

export const utilizationSchema = z.strictObject({
  matrix: fraction.nullable(),
  vector: fraction.nullable(),
  dma: fraction.nullable(),
  cpu: fraction.nullable(),
  dram: fraction.nullable(),
  /** Useful rows / rows the matrix unit processed (padding of a tile is not useful). */
  usefulRows: fraction.nullable(),
});

export const rowSchema = z.strictObject({
  /** As in the paper's Table 6: `CPU`, `CPU + prefix KV`, `+ SOMR`, ... */
  name: z.string().min(1),
  /** Registry name of the decoding policy. */
  policy: z.string(),
  /** Software stack that turned operators into work. */
  stack: z.string(),
  memory: z.string(),
  /** Simulated seconds per prompt, prompt processing included. */
  latency_s: latencySchema,
  speedup: z.strictObject({ vsPrevious: nonNegative.nullable(), vsCpuKv: nonNegative.nullable() }),
  /** Of `speedup.vsCpuKv`: 95 % over the prompts, 80 % over what is not known of the machine. Absent in older files. */
  speedupIntervals: z.strictObject({ cases: endsSchema, machine: endsSchema }).optional(),
  /** Per prompt. `mean` = forwards of the main lane (NFE); the others split all forwards by kind. */
  forwards: z.strictObject({
    mean: nonNegative,
    denoise: nonNegative,
    prefill: nonNegative,
    seal: nonNegative,
    refresh: nonNegative,
  }),
  /** Generated tokens per main-lane denoising forward: all positions, and those before end of text. */
  tokens_per_forward: z.strictObject({ all: nonNegative, text: nonNegative }),
  utilization: utilizationSchema,
  /** Bytes mapped (again) into the NPU's address window per step, mean; null where there is no window. */
  mapped_bytes_per_step: nonNegative.nullable(),
  /** Bytes copied into staging slots per step, mean; null where there is no window. */
  staged_bytes_per_step: nonNegative.nullable(),
  accuracy: z.strictObject({
    /** The whole answer, every task of the prompt right. */
    whole: proportionSchema,
    perTask: z.record(z.string(), proportionSchema).optional(),
  }),
  token_exact: tokenExactSchema,
  /** arXiv:2606.13740 Table 6; null where the paper has no such row. */
  paper_s: nonNegative.nullable(),
  paper_speedup: z
    .strictObject({ vsPrevious: nonNegative.nullable(), vsCpuKv: nonNegative.nullable() })
    .optional(),
  /** What a match with the paper would prove; `calibrated` proves nothing. */
  paperKind: z.enum(['predicted', 'calibrated', 'ordering']),
});

/** One letter per generated position: M masked, I invisible, V visible, S stable. */
const stateString = z.string().regex(/^[MIVS]*$/);

export const carpetStepSchema = z.strictObject({
  step: count,
  /** Simulated end of the step in ms since the start of the decode; null without a machine. */
  endMs: nonNegative.nullable(),
  /** Window of the step as generated positions, half open; may be empty for prefill. */
  window: z.tuple([count, count]),
  /** State after the step. */
  states: stateString,
  /** Index into `pieces` per generated position after the step; -1 while it has no token. */
  tokens: z.array(z.int().min(-1)),
  /** Drafts held after the step: [generated position, index into `pieces`]. */
  drafts: z.array(z.tuple([count, count])),
  /** Of decided positions and drafts in the window: [generated position, confidence of the token when last scored]. Absent in older files. */
  confidences: z.array(z.tuple([count, finite])).optional(),
  /** Positions whose token changed from one concrete token to another in this step. */
  revised: z.array(count),
  /** Positions under CPU refresh that landed in this step. */
  refreshed: z.array(count),
  /** Busy share of each resource of the machine during the step; absent without a machine. */
  busy: z.record(z.string(), fraction).optional(),
});

/** One prompt's decode, position x step. */
export const carpetSchema = z
  .strictObject({
    row: z.string(),
    policy: z.string(),
    prompt: z.strictObject({ index: count, text: z.string() }),
    expected: z.string(),
    genLength: count.min(1),
    blockLength: count.min(1),
    /** Text of every token that occurs. */
    pieces: z.array(z.string()),
    /** Index into `pieces` of the end-of-text token, or null: text stops being shown there. */
    endPiece: count.nullable(),
    steps: z.array(carpetStepSchema).min(1),
  })
  .superRefine((carpet, context) => {
    for (const step of carpet.steps) {
      const badLength = step.states.length !== carpet.genLength || step.tokens.length !== carpet.genLength;
      if (badLength) {
        context.addIssue({
          code: 'custom',
          message: `step ${step.step}: ${carpet.genLength} positions needed`,
        });
        return;
      }
      const pieceIndices = [...step.tokens, ...step.drafts.map(([, piece]) => piece)];
      if (pieceIndices.some((piece) => piece >= carpet.pieces.length)) {
        context.addIssue({ code: 'custom', message: `step ${step.step}: token outside pieces` });
        return;
      }
    }
  });

export const spanSchema = z.strictObject({
  /** Name of the lane; one of `lanes`. */
  lane: z.string(),
  /** Work, e.g. `matmul down`. */
  name: z.string(),
  /** Group for colouring, e.g. `attention`, `ffn`, `head`, `mapping`. */
  group: z.string(),
  layer: count.nullable(),
  /** Since the start of the step. */
  startMs: nonNegative,
  endMs: nonNegative,
  /** Share of the span in which the unit works; the rest of it waits for the others. Default: all of it. */
  busyShare: fraction.optional(),
  /** Bytes it moves, where it moves any. */
  bytes: nonNegative.optional(),
});

/** Who was busy when in one step. Spans of one lane do not overlap. */
export const timelineSchema = z.strictObject({
  row: z.string(),
  prompt: count,
  step: count,
  durationMs: nonNegative,
  lanes: z.array(z.string()).min(1),
  spans: z.array(spanSchema),
});

export const ablationSchema = z.strictObject({
  schema: z.literal(ABLATION_SCHEMA),
  /** Command line that makes this file again. */
  command: z.string(),
  configHash: sha256,
  version: z.string(),
  gitCommit: z.string().optional(),
  node: z.string(),
  seed: z.int(),
  /** Engine that made the decisions, with its backend, e.g. `tfjs-wasm f32`. */
  engine: z.string(),
  /** The model that decided. */
  model: z.strictObject({ name: z.string(), sha256, params: count }),
  /** The model whose costs were simulated. */
  costModel: z.strictObject({ name: z.string(), quant: z.string() }),
  profile: z.strictObject({
    name: z.string(),
    sha256,
    /** The numbers a reader must not take for measurements. */
    fittedOrAssumed: z.array(provenanceEntrySchema),
    /** All numbers of the profile, for the report's provenance table. */
    all: z.array(provenanceEntrySchema).optional(),
  }),
  /** Names of the software stacks used by the rows. */
  stack: z.string(),
  prompts: z.strictObject({
    set: z.string(),
    seed: z.int(),
    count: count.min(1),
    firstIndex: count,
    genLength: count.optional(),
    blockLength: count.optional(),
  }),
  rows: z.array(rowSchema).min(1),
  /** Position x step matrix of one prompt for some of the rows. */
  carpet: z.array(carpetSchema),
  timeline: z.array(timelineSchema),
  /** Sentences a reader must see, printed verbatim. */
  notes: z.array(z.string()),
});

export type ProvenanceEntry = z.infer<typeof provenanceEntrySchema>;
export type Divergence = z.infer<typeof divergenceSchema>;
export type TokenExact = z.infer<typeof tokenExactSchema>;
export type AblationRow = z.infer<typeof rowSchema>;
export type CarpetStep = z.infer<typeof carpetStepSchema>;
export type Carpet = z.infer<typeof carpetSchema>;
export type TimelineSpan = z.infer<typeof spanSchema>;
export type Timeline = z.infer<typeof timelineSchema>;
/** Everything that the report shows of a ladder; one `summary.json`. */
export type AblationSummary = z.infer<typeof ablationSchema>;
