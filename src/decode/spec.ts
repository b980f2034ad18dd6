import { z } from 'zod';
import { UsageError } from '../errors.js';
import { contradictions } from './spec-contradictions.js';
import { endOfText, sampling, seed } from './spec-sampling.js';

/**
 * A decoding method as data. Every parameter that arXiv:2606.13740 leaves open is an option here with a default;
 * `.describe()` gives the reason for the default. Unknown keys and contradictory options are refused.
 */

const unit = z.number().min(0).max(2);
const count = z.int().min(1);
const compare = z.enum(['at-least', 'above']);

const lookahead = z.strictObject({
  trigger: z
    .int()
    .min(0)
    .default(4)
    .describe('masks left in the block that switch lookahead on; 4 is the operating point of §5.5'),
  inclusive: z
    .boolean()
    .default(true)
    .describe(
      'fire at masks <= trigger instead of <; §5.5 speaks of triggering at four remaining, §3.2 of dropping below',
    ),
  allowanceRatio: z
    .number()
    .min(0)
    .default(1)
    .describe(
      'extra pass time allowed, relative to the pass without lookahead; with 32-row blocks on 32-row tiles 0 would make the trigger a no-op, against Fig. 13a',
    ),
  maxRows: z
    .int()
    .min(0)
    .default(32)
    .describe('most rows appended; one tile, the smallest useful amount (the paper gives no limit)'),
  memoryBudgetMib: z
    .number()
    .min(0)
    .nullable()
    .default(null)
    .describe(
      'memory the appended rows may take, MiB; null: no limit, since draft rows are few beside the weights (the paper has a budget but no figure)',
    ),
  buckets: z
    .enum(['step', 'smooth'])
    .default('step')
    .describe(
      'pass time between multiples of 32 rows: step, as Fig. 3a shows for one operator, or on straight lines; only multiples were measured',
    ),
});

const window = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('canvas'),
    extent: z
      .enum(['full', 'growing'])
      .default('full')
      .describe(
        'full: prompt and all output positions (reproduces Table 1 times); growing: up to the current block',
      ),
  }),
  z.strictObject({
    kind: z.literal('block'),
    extent: z
      .enum(['block', 'suffix'])
      .default('block')
      .describe(
        'block: rows of the current block; suffix: also all masks to the right (Fast-dLLM prefix cache)',
      ),
    lookahead: lookahead.optional(),
  }),
  z.strictObject({
    kind: z.literal('sliding'),
    size: count.nullable().default(null).describe('rows of the window; null is the block length, as in §3.2'),
    past: z
      .enum(['visible', 'stable'])
      .default('visible')
      .describe(
        'what the left edge passes inside the current block; §3.2 slides past committed tokens, which includes V',
      ),
    lookahead: lookahead.optional(),
  }),
  z.strictObject({
    kind: z.literal('per-block'),
    extent: z
      .enum(['suffix', 'block'])
      .default('suffix')
      .describe(
        'rows after the full pass that opens a block; suffix: block and everything right of it (prefix cache); block: the block alone (dual cache)',
      ),
  }),
  // Autoregressive: the last token predicts the one after it. For causal models only.
  z.strictObject({ kind: z.literal('next') }),
]);

const cache = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({
    kind: z.literal('prefix'),
    seal: z
      .enum(['pass', 'delayed', 'as-is'])
      .default('pass')
      .describe(
        'pass: one extra pass per finished block over its final tokens; delayed: a row is kept from a step that fed it its final token; as-is: kept from the step that decided it',
      ),
    prompt: z
      .enum(['bidirectional', 'block-causal'])
      .default('bidirectional')
      .describe(
        'who sees whom when the prompt is cached: all of it (LLaDA), or each block itself and what is left of it (SDAR, LLaDA2)',
      ),
  }),
  z.strictObject({ kind: z.literal('per-block') }),
  z.strictObject({
    kind: z.literal('decided'),
    refreshEvery: count
      .default(8)
      .describe(
        'steps of a block between passes that compute everything anew; 8 in the paper, 4 in its demo',
      ),
  }),
]);

const commit = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('quota'),
    stepsPerBlock: count
      .nullable()
      .default(null)
      .describe('denoising steps per block; null is the block length, one token per step (§5.1)'),
    transfer: z
      .enum(['top', 'each'])
      .default('top')
      .describe('top: the most confident masks; each: every mask by its own coin (ORIGIN of llama.cpp)'),
    seed,
  }),
  z.strictObject({
    kind: z.literal('threshold'),
    tau: unit.default(0.9).describe('operating point of Fast-dLLM'),
    compare: compare.default('at-least').describe('Fast-dLLM and dInfer accept >=, WINO and LLaDA2 >'),
  }),
  z.strictObject({
    kind: z.literal('timestep'),
    steps: count
      .nullable()
      .default(null)
      .describe('denoising steps per block; null is the block length (Dream: steps = new tokens)'),
    eps: z.number().min(0).max(0.5).default(0.001).describe('end of the time line, default of Dream'),
    transfer: z
      .enum(['top', 'each'])
      .default('top')
      .describe(
        'top: the most confident share of the masks; each: every mask by its own coin (Dream origin)',
      ),
    temperature: z
      .number()
      .min(0)
      .default(0)
      .describe('alg_temp of Dream: above 0 the masks are drawn from softmax(confidence / temperature)'),
    seed,
  }),
  z.strictObject({
    kind: z.literal('factor'),
    factor: z.number().positive().default(1).describe('default of Fast-dLLM'),
    lastRank: z
      .enum(['checked', 'published'])
      .default('checked')
      .describe('published: a failure at the last rank is committed all the same, as its loop does'),
  }),
  z.strictObject({
    kind: z.literal('frechet'),
    delta: unit.default(0.25).describe('default of Fast-dLLM++'),
  }),
  z.strictObject({
    kind: z.literal('revocable'),
    tau: unit.default(0.6).describe('tau_1 of WINO; 0.6 on GSM8K, 0.5 to 0.8 on other tasks'),
  }),
  z.strictObject({
    kind: z.literal('staged'),
    visible: unit.default(0.7).describe('theta_visible, §5.1'),
    stable: unit.default(0.9).describe('theta_stable, §5.1'),
  }),
]);

const speculate = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({
    kind: z.literal('drafts'),
    feed: z
      .enum(['token', 'mask'])
      .default('token')
      .describe('what a draft row is fed; token: §3.2 says drafts take part in later forwards'),
    feedConfidence: unit
      .default(0.9)
      .describe(
        'a draft below it is fed as the mask; the acceptance threshold, so weak guesses never become context',
      ),
    acceptConfidence: unit
      .default(0.9)
      .describe('confidence at which an evaluated draft is committed; equal to theta_stable'),
    requireEqual: z
      .boolean()
      .default(false)
      .describe(
        'a draft fed as its token is accepted only if the fresh best token equals it; the paper asks for the criterion only',
      ),
    evaluate: z
      .enum(['once', 'every-step'])
      .default('once')
      .describe('once: a refused draft becomes an ordinary mask ("simply overwritten", §3.2)'),
    entry: z
      .enum(['evaluate', 'carry'])
      .default('evaluate')
      .describe(
        'evaluate: a draft is accepted on fresh logits only (§3.2); carry: one at acceptConfidence has its state before its block is current, and enters it with that state',
      ),
  }),
  z.strictObject({
    kind: z.literal('exact'),
    tile: count
      .default(32)
      .describe('rows of one tile: up to the next multiple rows are computed anyway (§2.2)'),
    extraTiles: z
      .int()
      .min(0)
      .default(0)
      .describe(
        'tiles a forward may grow by to hold draft states; 0: only rows that the tile would waste, which cost nothing',
      ),
    drafts: z
      .enum(['auto', 'chain', 'prefixes'])
      .default('auto')
      .describe(
        'chain: the predicted next states one after another; prefixes: the next state for several numbers of commits; auto: chain for a quota, prefixes for confidence rules',
      ),
    joinCertain: z
      .boolean()
      .default(true)
      .describe(
        'a pass that only fills the cache and the one after it share a forward: no guess, and together no more tiles than apart',
      ),
    slack: unit
      .default(0.2)
      .describe(
        'with prefixes: a mask this much below tau in the last forward is expected to pass in this one; confidence mostly rises',
      ),
  }),
]);

const revoke = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({
    kind: z.literal('shadow'),
    tau: unit
      .default(0.9)
      .describe(
        'tau_2 of WINO: a committed token less likely than this at its shadow row returns to the mask',
      ),
  }),
]);

const revise = z.strictObject({
  falling: z
    .enum(['sticky', 'demote'])
    .default('sticky')
    .describe(
      'a V below theta_visible keeps its token, or returns to IV; not stated, sticky keeps states monotone',
    ),
  feed: z
    .enum(['token', 'mask'])
    .default('token')
    .describe(
      'what a V of the current block is fed when it is scored again; token: §3.3 makes it context for others, mask: scored unseen',
    ),
  rename: z.boolean().default(true).describe('a V may change identity while V (Fig. 9, t=3)'),
});

const refresh = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({
    kind: z.literal('cpu'),
    order: z
      .enum(['oldest', 'lowest-confidence', 'random'])
      .default('oldest')
      .describe('oldest KV first visits every V in turn; the paper gives no order'),
    seed: z.int().min(0).default(0).describe('seed of order random'),
    batch: count
      .default(4)
      .describe('positions per side pass; a CPU pass has a large fixed cost (Table 2), so share it'),
    perStep: count.default(4).describe('positions launched per step; not given'),
    maxInFlight: count
      .default(4)
      .describe('positions under refresh at a time; equal to perStep, so a slow CPU never builds a backlog'),
    scope: z
      .enum(['prefix', 'stable-prefix', 'prefix+window'])
      .default('prefix')
      .describe('what a refreshed row attends to; Fig. 9b draws the prefix only'),
    feed: z
      .enum(['token', 'mask'])
      .default('token')
      .describe(
        'token: re-score and rewrite KV in one pass; mask: re-score unseen, KV rewritten only after a change',
      ),
    replace: z
      .enum(['visible', 'always'])
      .default('visible')
      .describe('a new identity must reach theta_visible, as in the window; always: take the new best token'),
    what: z
      .enum(['self', 'self+dependents'])
      .default('self')
      .describe(
        'self: V only, as drawn in Fig. 9b; self+dependents: also the KV of entries that saw a token which a refresh has changed',
      ),
    late: z
      .enum(['apply', 'block'])
      .default('apply')
      .describe(
        'apply: a result lands at the boundary after it is finished; block: the step waits for it ("asynchronously to the NPU" speaks for apply)',
      ),
    maxAgeSteps: z
      .int()
      .min(0)
      .nullable()
      .default(null)
      .describe(
        'steps a result may be late before it is dropped; null: it lands whenever its target is unchanged',
      ),
  }),
]);

const final = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('accept') }),
  z.strictObject({
    kind: z.literal('sweep'),
    passes: count.default(1).describe('most refresh passes over the remaining V after the last block'),
  }),
]);

export const policySpecSchema = z.strictObject({
  name: z.string().min(1).max(400),
  description: z.string().default(''),
  source: z.string().default(''),
  blockLength: count.default(32).describe('§5.1'),
  blockOrigin: z
    .enum(['prompt', 'zero'])
    .default('prompt')
    .describe(
      'prompt: blocks begin at the first generated position (LLaDA); zero: at position 0, so that the rest of the prompt shares a block with the first tokens (SDAR, LLaDA2)',
    ),
  confidence: z
    .enum(['max-softmax', 'margin', 'neg-entropy', 'entropy', 'random'])
    .default('max-softmax')
    .describe('the paper defines no formula; LLaDA and Fast-dLLM use the softmax of the best token'),
  sampling: sampling.default({ kind: 'greedy' }).describe('greedy: temperature 0, as in §5.1'),
  endOfText: endOfText
    .default({ logit: 'keep', confidence: 'keep', turnId: null })
    .describe('keep: the paper says nothing'),
  confidenceType: z
    .enum(['f64', 'f32', 'bf16'])
    .default('f64')
    .describe(
      'number format of probabilities and confidences: f64 has the fewest ties; published code runs in the type of the model (bf16)',
    ),
  guidance: z
    .number()
    .min(0)
    .default(0)
    .describe(
      'scale of classifier-free guidance, cfg_scale of LLaDA; 0: off, as in §5.1. Above 0 every step has twice the rows',
    ),
  window,
  cache,
  commit,
  speculate: speculate.default({ kind: 'none' }),
  revise: revise.default({ falling: 'sticky', feed: 'token', rename: true }),
  revoke: revoke.default({ kind: 'none' }).describe('none: only WINO takes committed tokens back'),
  refresh: refresh.default({ kind: 'none' }),
  logits: z
    .enum(['all', 'active'])
    .default('all')
    .describe('all rows of the pass, or only rows that can still change (selective logits skipping)'),
  final: final
    .default({ kind: 'accept' })
    .describe('V left after the last block: accepted and reported, or swept'),
});

/** A complete spec: every default filled in. */
export type PolicySpec = z.output<typeof policySpecSchema>;
/** What a user writes: defaults may be left out. */
export type PolicySpecInput = z.input<typeof policySpecSchema>;

export type WindowSpec = PolicySpec['window'];
export type LookaheadSpec = z.output<typeof lookahead>;
export type CacheSpec = PolicySpec['cache'];
export type CommitSpec = PolicySpec['commit'];
export type SpeculateSpec = PolicySpec['speculate'];
export type ExactSpec = Extract<SpeculateSpec, { kind: 'exact' }>;
export type SamplingSpec = PolicySpec['sampling'];
export type EndOfTextSpec = PolicySpec['endOfText'];
export type RevokeSpec = PolicySpec['revoke'];
export type ReviseSpec = PolicySpec['revise'];
export type RefreshSpec = PolicySpec['refresh'];
export type CpuRefreshSpec = Extract<RefreshSpec, { kind: 'cpu' }>;
export type FinalSpec = PolicySpec['final'];

function describeIssue(issue: z.core.$ZodIssue): string {
  const path = issue.path.length > 0 ? issue.path.join('.') : 'spec';
  if (issue.code === 'unrecognized_keys') {
    return `unknown key ${issue.keys.map((key) => `"${key}"`).join(', ')}${issue.path.length > 0 ? ` in ${path}` : ''}`;
  }
  return `${path}: ${issue.message}`;
}

/**
 * Checks and completes a policy.
 * @throws UsageError naming the key that is wrong or the rule that is broken
 */
export function parsePolicySpec(input: unknown): PolicySpec {
  const parsed = policySpecSchema.safeParse(input);
  if (!parsed.success) throw new UsageError(`policy: ${parsed.error.issues.map(describeIssue).join('; ')}`);
  const broken = contradictions(parsed.data);
  if (broken.length > 0) throw new UsageError(`policy ${parsed.data.name}: ${broken.join('; ')}`);
  return parsed.data;
}

/** The schema as JSON Schema, descriptions and defaults included: the reference of all options. */
export function policyJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(policySpecSchema, { io: 'input' });
}
