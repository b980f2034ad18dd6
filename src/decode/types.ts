/**
 * Vocabulary of decoding. Everything here is plain data: serialisable, comparable, free of engine and clock.
 */

/**
 * - `M` masked: outside the window, still the mask token.
 * - `IV` invisible: in the window, no concrete token yet; fed as the mask; needs logits every step.
 * - `V` visible: concrete but revisable; fed as its token.
 * - `S` stable: final. Token, KV and KV version never change again.
 * Prompt positions are `S` from the start.
 */
export type TokenState = 'M' | 'IV' | 'V' | 'S';

/** Names one cached KV entry. Versions are unique per pass and grow with time. */
export interface KvRef {
  readonly position: number;
  readonly version: number;
}

/**
 * Durable cache entry of a position. `long-term` entries belong to stable positions and never change;
 * `mutable` entries belong to visible positions that already left the window and may be refreshed.
 */
export interface KvEntry extends KvRef {
  /** Token id the row was fed when K and V were computed (the mask id for an invisible row). */
  readonly token: number;
  readonly residency: 'long-term' | 'mutable';
}

/** A prediction for a position of a block that is not current yet. Never writes durable KV (law B2). */
export interface Draft {
  readonly token: number;
  readonly confidence: number;
  /** Step whose logits produced it. */
  readonly step: number;
}

export interface Position {
  readonly state: TokenState;
  /** Token id; the mask id while state is M or IV. */
  readonly token: number;
  /** Confidence of `token` when it was last scored; 0 before. Prompt: 1. */
  readonly confidence: number;
  /** Durable KV entry, null while the position is not cached. */
  readonly kv: KvEntry | null;
  /** The KV entry was computed while it saw another token that has changed since. Left out when it has not. */
  readonly stale?: boolean;
  readonly draft: Draft | null;
}

/** Half-open range [start, end) of absolute positions. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** A position under refresh: the KV version and token it had at launch, and what its row was fed. */
export interface RefreshTarget {
  readonly position: number;
  readonly version: number;
  readonly token: number;
  readonly feed: number;
}

/** A refresh that was launched and has neither landed nor been dropped. */
export interface RefreshTicket {
  readonly passId: string;
  /** Version carried by the entries the pass computes; they stay alive until the ticket is settled. */
  readonly passVersion: number;
  readonly targets: readonly RefreshTarget[];
  /** Step that launched it. */
  readonly launchedAt: number;
}

/** The sequence being denoised, with all a policy needs to decide the next step. Immutable. */
export interface Canvas {
  readonly promptLength: number;
  readonly genLength: number;
  readonly blockLength: number;
  /** First position of block 0: the first generated one, or earlier when the prompt's last block is not full. */
  readonly blockOrigin: number;
  readonly maskId: number;
  readonly positions: readonly Position[];
  /** Index of the current block (0-based); equal to the block count when decoding is finished. */
  readonly block: number;
  /** Rows of the next denoising pass, before lookahead. */
  readonly window: Range;
  readonly step: number;
  /** Denoising passes that worked on the current block so far. */
  readonly blockSteps: number;
  /** Positions that the last of them gave a token; null before the first. */
  readonly lastPromoted: number | null;
  /** Version number the next pass will carry. */
  readonly nextVersion: number;
  readonly inFlight: readonly RefreshTicket[];
  /** Refresh passes made on the main lane after the last block (final rule `sweep`). */
  readonly sweeps: number;
}

/** One row of a forward pass: which position, and the token id it is fed (its token, a draft, or the mask). */
export interface PassRow {
  readonly position: number;
  readonly feed: number;
  /** Counter of the random numbers that sample this row's token; left out when nothing is drawn. */
  readonly draw?: number;
  /** A token whose probability is wanted beside the best token's. */
  readonly asks?: number;
}

/**
 * - `prefill`: prompt rows, writes their KV; - `denoise`: window rows; - `seal`: rows of a finished block fed
 * with their final tokens, writes their KV; - `refresh`: visible positions of the prefix, re-scored beside the
 * main pass.
 */
export type PassKind = 'prefill' | 'denoise' | 'seal' | 'refresh';

/**
 * Which of the pass's own rows a row attends to (it always sees every entry in `reads`). `shadow`: all own rows,
 * but of what it reads nothing at its own position; for rows that re-predict a position that is also elsewhere in
 * view. The logits of a `causal` row are about the position after its own.
 */
export type RowVisibility = 'all' | 'self' | 'causal' | 'shadow';

/**
 * Rows that see each other as if they were a pass of their own. Versions tell several rows of one position apart.
 */
export interface RowGroup {
  readonly kind: PassKind;
  /** Version that every KV entry of these rows carries. The first group has the version of the pass. */
  readonly version: number;
  /** Number of rows; groups follow each other in `Pass.rows`. */
  readonly rows: number;
  /** Indices of earlier groups whose rows these rows see as well. */
  readonly sees: readonly number[];
  readonly visibility: RowVisibility;
}

/** Several groups in one forward: each row sees `reads`, the groups its own group names, and its own group. */
export interface GroupedVisibility {
  readonly groups: readonly RowGroup[];
}

export type Visibility = RowVisibility | GroupedVisibility;

export interface Pass {
  /** Unique in a decode: `${step}.${index}`. */
  readonly id: string;
  readonly kind: PassKind;
  /** `main` is the critical path; `side` runs beside it on the CPU and lands at a later step boundary. */
  readonly lane: 'main' | 'side';
  /** Version that every KV entry computed by this pass carries. */
  readonly version: number;
  readonly rows: readonly PassRow[];
  /** Cached entries it may read: all existed before the step began (law D3). Ascending position. */
  readonly reads: readonly KvRef[];
  readonly visibility: Visibility;
  /** Indices into `rows` that get logits. */
  readonly logits: readonly number[];
  /**
   * Scale of classifier-free guidance. The pass then has two groups, the rows and the same rows with the prompt
   * masked, and the logits of the first are guided by those of the second.
   */
  readonly guidance?: number;
}

export interface StepPlan {
  readonly step: number;
  readonly block: number;
  /** Exactly one main pass, then any number of side passes. */
  readonly passes: readonly Pass[];
  /** The step ends only when all its side passes are finished. */
  readonly joins?: boolean;
}

/** What the logits of one row said. */
export interface RowOutcome {
  readonly position: number;
  /** Best token other than the mask; ties go to the lowest id. */
  readonly token: number;
  /** Confidence of `token` under the policy's confidence rule. */
  readonly confidence: number;
  /** Probability of the token that the row asked about. */
  readonly asked?: number;
}

export interface PassOutcome {
  readonly passId: string;
  readonly rows: readonly RowOutcome[];
}

/** Why a position changed. */
export type TransitionReason =
  | 'commit'
  | 'promote-best'
  | 'draft-accepted'
  | 'draft-carried'
  | 'revise'
  | 'stabilise'
  | 'revoke'
  | 'refresh'
  | 'window'
  | 'final';

export interface Transition {
  readonly position: number;
  readonly from: TokenState;
  readonly to: TokenState;
  readonly tokenBefore: number;
  readonly token: number;
  readonly confidence: number;
  readonly reason: TransitionReason;
}

/** A refresh outcome that did not land, and why. */
export interface DroppedRefresh {
  readonly passId: string;
  readonly position: number;
  /**
   * `superseded`: the position changed since launch; `late`: older than the policy allows; `finished`: decoding
   * ended first.
   */
  readonly reason: 'superseded' | 'late' | 'finished';
}

/** A group of rows that turned out to be what the method would have run next. */
export interface AcceptedGroup {
  readonly group: number;
  /** How many of the step's transitions, in order, its outcome brought about. */
  readonly transitions: number;
}

export interface ApplyResult {
  readonly canvas: Canvas;
  readonly transitions: readonly Transition[];
  readonly dropped: readonly DroppedRefresh[];
  /** Row groups of the main pass that were steps of the decode; empty when the pass has no groups. */
  readonly accepted: readonly AcceptedGroup[];
  /** KV entries that must be kept for later steps; everything else the engine may free. */
  readonly liveKv: readonly KvRef[];
}

/**
 * A decoding method: a pure composition of rules. No engine, no clock, no I/O.
 */
export interface Policy {
  readonly name: string;
  /** Starts a decode. @throws UsageError when the lengths contradict the rules. */
  start(promptIds: readonly number[], genLength: number, maskId: number): Canvas;
  /** The next step, or null when decoding is finished. */
  plan(canvas: Canvas): StepPlan | null;
  /**
   * @param outcomes outcome of the main pass
   * @param landed outcomes of side passes (of this or earlier steps) that finished by this step's boundary
   */
  apply(canvas: Canvas, plan: StepPlan, outcomes: PassOutcome, landed: readonly PassOutcome[]): ApplyResult;
}
