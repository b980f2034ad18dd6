import type { Pass, RowOutcome } from '../../pass/pass.js';
import type {
  BlockEdits,
  Canvas,
  Draft,
  Position,
  Range,
  RefreshTarget,
  Steps,
  TokenState,
  VerdictReason,
} from '../canvas/types.js';
import type { NumberType } from './number-type.js';

/**
 * What a rule of each kind does. Each is a pure function of the canvas; `method/` is the only place that calls them.
 */

/** Offline profile of one denoising pass: rows -> milliseconds. Must not decrease. */
export type LatencyTable = (rows: number) => number;

/** A change a rule wants at one position. */
export interface Verdict {
  readonly position: number;
  readonly token: number;
  readonly confidence: number;
  readonly state: Exclude<TokenState, 'M'>;
  readonly reason: VerdictReason;
}

/** Which rows a denoising pass computes. */
export interface WindowRule {
  /**
   * Window after the decisions of a step.
   * @param settled whether the cached entry of a position would be durable if it left the window now
   * @param isNewBlock no pass has worked on the current block yet
   */
  next(canvas: Canvas, settled: (position: number) => boolean, isNewBlock: boolean): Range;
  /** Positions appended to the next pass only. */
  lookahead(canvas: Canvas): readonly number[];
  /** A loop of its own in place of the denoising one; null for all that denoise. */
  readonly steps: Steps | null;
}

/** How finished positions become prefix KV. */
export interface CacheRule {
  /** What is before block 0 is computed once, in a step of its own. */
  readonly prefill: boolean;
  /** In that step a block of the prompt sees itself and what is left of it, instead of everything. */
  readonly causalPrefill: boolean;
  /** The pass that caches what is before a block says the first token of it. */
  readonly opensPredicted: boolean;
  /** May KV computed from `fed` stand for this position from now on? */
  settled(position: Position, fed: number): boolean;
  /**
   * Positions whose KV of this denoising pass becomes durable at its boundary.
   * @param decided canvas after the decisions of the step
   * @param window window of the next step
   */
  keeps(decided: Canvas, window: Range, pass: Pass): readonly number[];
  /** Whether the cached entry of a position in the window stands for it, so that its row is left out. */
  reuses(canvas: Canvas, position: number): boolean;
  /** Passes that the first finished block without KV has then waited; default none waits. */
  waits?(decided: Canvas, pass: Pass): number;
  /** Rows of finished blocks that need a pass of their own. */
  sealRows(canvas: Canvas): readonly number[];
}

/** What a position holds after tokens of its block have moved; the mask where one came in. */
export interface Moved {
  readonly position: number;
  readonly token: number;
  readonly confidence: number;
}

/** What a rule does that moves tokens inside its block. */
export interface Rearranged {
  /** What the rows say, orders among it. */
  readonly verdicts: readonly Verdict[];
  /** Then, where tokens moved. */
  readonly moved: readonly Moved[];
  /** What it remembers for the next pass over the block; null when the block is finished. */
  readonly edited: BlockEdits | null;
}

/** Which undecided positions of the current block get a token. */
export interface CommitRule {
  /** Is asked about later blocks too; default the current one alone. */
  readonly ahead?: true;
  /** Passes over a block without masks, for as long as they change a token; default: none, a block is finished with its last mask. */
  readonly edits?: number;
  /**
   * @param scores undecided positions of the current block that got logits (`ahead`: of all), ascending; not empty
   * @param rows every row that got logits, decided ones as well
   */
  decide(canvas: Canvas, scores: readonly RowOutcome[], rows: readonly RowOutcome[]): Verdict[];
  /** Tokens besides which the best one of a row is asked for as well. */
  excludes?(canvas: Canvas, position: number): readonly number[] | undefined;
  /** In place of `decide` and of revision: everything that a pass changes in the open block. */
  rearrange?(canvas: Canvas, rows: readonly RowOutcome[]): Rearranged;
  /** State of a position committed at this confidence. */
  stateFor(confidence: number): 'V' | 'S';
}

/** What happens to predictions beyond the current block. */
export interface SpeculateRule {
  /** What the row of an undecided position is fed. */
  feed(position: Position): 'mask' | 'draft';
  /** A draft whose block is current meets the acceptance criterion on fresh logits. */
  accepts(draft: Draft, score: RowOutcome): boolean;
  /** A draft that becomes visible when its block becomes current, without being evaluated again. */
  carries(draft: Draft): boolean;
  /** A draft whose fresh logits forbid a regular commit this step. */
  withholds(draft: Draft, score: RowOutcome): boolean;
  /** Draft of an undecided position after its row was scored. */
  next(position: Position, score: RowOutcome, isCurrent: boolean, step: number): Draft | null;
  /** The method, speculated on as a whole; itself when only single positions are. */
  wrap(method: Steps): Steps;
}

/** What fresh logits do to visible positions of the window. */
export interface ReviseRule {
  /**
   * @param scores visible positions that got logits
   * @param promoted positions promoted in this step: fewer than that may fall back, so that a step always gains
   */
  decide(canvas: Canvas, scores: readonly RowOutcome[], promoted: number): Verdict[];
  /** Visible positions of the current block are fed the mask, so that they are re-scored unseen. */
  readonly feedsMask: boolean;
}

/** Takes back tokens of the current block that do not hold up when they are predicted anew. */
export interface RevokeRule {
  /** Positions of the shadow rows that ride with a denoising pass: fed the mask, blind to their own position. */
  shadows(canvas: Canvas): readonly number[];
  /**
   * @param scores shadow rows of positions that had a token before the step; `asked` is that token's probability
   * @param promoted positions given a token in this step
   */
  decide(canvas: Canvas, scores: readonly RowOutcome[], promoted: number): Verdict[];
  /** Whether what is visible when its block is complete becomes stable. */
  readonly stableWithBlock: boolean;
}

/** Side passes over visible positions of the prefix. */
export interface RefreshRule {
  /**
   * Groups of positions to launch, one side pass each.
   * @param busy positions that are rows of the main pass
   */
  launch(canvas: Canvas, busy: ReadonlySet<number>): readonly (readonly number[])[];
  feed(position: Position, maskId: number): number;
  /** The position after a refresh landed, KV included. */
  land(position: Position, target: RefreshTarget, passVersion: number, score: RowOutcome): Position;
  /** Whether entries that saw a token which a landing changed become stale. */
  readonly marksDependents: boolean;
  /** The step waits for what it launched. */
  readonly joins: boolean;
  /** May a refreshed row read this entry? */
  readable(position: Position): boolean;
  /** Whether the rows of the main pass ride along as context. */
  readonly withWindow: boolean;
  /** Steps a result may be late; null: any. */
  readonly maxAgeSteps: number | null;
}

/** Which rows get logits. */
export interface LogitsRule {
  wants(position: Position): boolean;
}

/** What happens after the last block. */
export interface FinalRule {
  /** Visible positions to refresh on the main lane; empty ends the decode. */
  sweepRows(canvas: Canvas): readonly number[];
  readonly maxPasses: number;
}

/** Numbers of one row of logits, as far as a confidence needs them. */
export interface RowStatistics {
  /** Logits of the best and the second best token, the mask apart. */
  readonly best: number;
  readonly second: number;
  readonly vocab: number;
  readonly type: NumberType;
  /** Logit of a token. */
  logit(id: number): number;
  /** Softmax over the whole vocabulary, rounded to the number format. */
  probability(logit: number): number;
  /** Entropy of the softmax in nats, in f64. */
  entropy(): number;
  /** The same of the softmax without the mask token. */
  tokenEntropy(): number;
}

/** How sure a row is, in [0, 1]. */
export interface ConfidenceRule {
  /** Whether it is about the chosen token; otherwise about the row, whichever token was chosen. */
  readonly ofToken: boolean;
  of(row: RowStatistics): number;
}

/** How the token of a row is drawn. */
export interface SamplingRule {
  readonly seed: number;
  /** At temperature 0 nothing is drawn. */
  readonly temperature: number;
  /** Draws a token; `judged` are the logits that its confidence is computed on. Null: the best token. */
  pick(
    logits: Float32Array,
    maskId: number,
    at: RowDraw,
  ): { readonly token: number; readonly judged: Float32Array } | null;
}

/** What tells the random numbers of a row apart from all others. */
export interface RowDraw {
  readonly position: number;
  /** Masks left in the canvas: falls with every step that commits, and does not depend on how steps are run. */
  readonly draw: number;
}

/** What a rule of each kind does. */
export interface RuleOf {
  readonly window: WindowRule;
  readonly cache: CacheRule;
  readonly commit: CommitRule;
  readonly speculate: SpeculateRule;
  readonly revoke: RevokeRule;
  readonly refresh: RefreshRule;
  readonly logits: LogitsRule;
  readonly final: FinalRule;
  readonly sampling: SamplingRule;
  readonly confidence: ConfidenceRule;
}

/** The rules that step a canvas. */
export interface Rules extends Omit<RuleOf, 'sampling' | 'confidence'> {
  readonly revise: ReviseRule;
  /** Scale of classifier-free guidance; 0: none. */
  readonly guidance: number;
  /** Rows carry the counter of their random numbers. */
  readonly draws: boolean;
}
