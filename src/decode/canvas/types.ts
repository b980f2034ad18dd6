/**
 * Vocabulary of decoding. Everything here is plain data: serialisable, comparable, free of engine and clock.
 */

import { z } from 'zod';
import type { KvRef, PassOutcome, StepPlan } from '../../pass/pass.js';

/** Token ids, positions, versions and counts. */
const id = z.int().min(0);

/**
 * - `M` masked: outside the window, still the mask token.
 * - `IV` invisible: in the window, no concrete token yet; fed as the mask; needs logits every step.
 * - `V` visible: concrete but revisable; fed as its token.
 * - `S` stable: final. Token, KV and KV version never change again.
 * Prompt positions are `S` from the start.
 */
export const TOKEN_STATES = ['M', 'IV', 'V', 'S'] as const;
/** Masked, invisible, visible or stable. */
export type TokenState = (typeof TOKEN_STATES)[number];

export const RESIDENCIES = ['long-term', 'mutable'] as const;
/** Where a durable cache entry lives. */
export type Residency = (typeof RESIDENCIES)[number];

/**
 * Durable cache entry of a position. `long-term` entries belong to stable positions and never change;
 * `mutable` entries belong to visible positions that already left the window and may be refreshed.
 */
export const kvEntrySchema = z.strictObject({
  position: id,
  version: id,
  /** Token id the row was fed when K and V were computed (the mask id for an invisible row). */
  token: id,
  residency: z.enum(RESIDENCIES),
});
export type KvEntry = Readonly<z.output<typeof kvEntrySchema>>;

/** A prediction for a position of a block that is not current yet. Never writes durable KV (law B2). */
export const draftSchema = z.strictObject({
  token: id,
  confidence: z.number(),
  /** Step whose logits produced it. */
  step: id,
});
export type Draft = Readonly<z.output<typeof draftSchema>>;

/** One position of the sequence. */
export interface Position {
  /** See `TOKEN_STATES`. */
  readonly state: TokenState;
  /** Token id; the mask id while state is M or IV. */
  readonly token: number;
  /** Confidence of `token` when it was last scored; 0 before. Prompt: 1. */
  readonly confidence: number;
  /** Durable KV entry, null while the position is not cached. */
  readonly kv: KvEntry | null;
  /** The KV entry was computed while it saw another token that has changed since. Left out when it has not. */
  readonly stale?: boolean;
  /** A guess for a later block; null where there is none. */
  readonly draft: Draft | null;
}

/** Half-open range [start, end) of absolute positions. */
export interface Range {
  /** First position. */
  readonly start: number;
  /** First position after it. */
  readonly end: number;
}

/** A position under refresh: the KV version and token it had at launch, and what its row was fed. */
export interface RefreshTarget {
  /** In the whole sequence, prompt included. */
  readonly position: number;
  /** Of its KV entry. */
  readonly version: number;
  /** Token id at launch. */
  readonly token: number;
  /** Token id that the row was fed. */
  readonly feed: number;
}

/** A refresh that was launched and has neither landed nor been dropped. */
export interface RefreshTicket {
  /** Of the side pass. */
  readonly passId: string;
  /** Version carried by the entries the pass computes; they stay alive until the ticket is settled. */
  readonly passVersion: number;
  /** Positions that the pass renews. */
  readonly targets: readonly RefreshTarget[];
  /** Step that launched it. */
  readonly launchedAt: number;
}

/** What a rule that moves tokens inside a block remembers of it. */
export interface BlockEdits {
  /** Positions of the masks that the block began with and that have no token yet, where they are now. */
  readonly original: readonly number[];
  /** States that passes began with: its tokens, joined. */
  readonly seen: readonly string[];
  /** Tokens that were written, by position. */
  readonly tried: Readonly<Record<number, readonly number[]>>;
  /** Passes that began without original masks, and all passes. */
  readonly filled: number;
  readonly passes: number;
}

/** The sequence being denoised, with all a policy needs to decide the next step. Immutable. */
export interface Canvas {
  /** Tokens of the prompt. */
  readonly promptLength: number;
  /** Positions to generate. */
  readonly genLength: number;
  /** Positions of a block. */
  readonly blockLength: number;
  /** First position of block 0: the first generated one, or earlier when the prompt's last block is not full. */
  readonly blockOrigin: number;
  /** Token id that undecided positions hold. */
  readonly maskId: number;
  /** Tokens that end a text. */
  readonly endIds: readonly number[];
  /** Positions behind the prompt that the caller gave, with masks to be filled in among them. */
  readonly given: number;
  /** Prompt, then answer. */
  readonly positions: readonly Position[];
  /** Index of the current block (0-based); equal to the block count when decoding is finished. */
  readonly block: number;
  /** Rows of the next denoising pass, before lookahead. */
  readonly window: Range;
  /** Number of the next step, from 0. */
  readonly step: number;
  /** Denoising passes that worked on the current block so far. */
  readonly blockSteps: number;
  /** Positions that the last of them gave a token; null before the first. */
  readonly lastPromoted: number | null;
  /** Passes over the current block since it has no masks. */
  readonly edits: number;
  /** Of the current block, where tokens move; null before they could, and everywhere else. */
  readonly edited: BlockEdits | null;
  /** Passes that the first finished block without KV has waited for it (cache `delayed`); 0 in all others. */
  readonly waited: number;
  /** Version number the next pass will carry. */
  readonly nextVersion: number;
  /** Refreshes under way. */
  readonly inFlight: readonly RefreshTicket[];
  /** Refresh passes made on the main lane after the last block (final rule `sweep`). */
  readonly sweeps: number;
}

/** Why a rule changes a position. */
export const VERDICT_REASONS = [
  'commit',
  'promote-best',
  'draft-accepted',
  'draft-carried',
  'revise',
  'stabilise',
  'revoke',
] as const;
export type VerdictReason = (typeof VERDICT_REASONS)[number];

/** Why a position changed: a rule, a token that moved, a refresh that landed, the window, the report at the end, or an end before it. */
export const TRANSITION_REASONS = [
  ...VERDICT_REASONS,
  'shift',
  'refresh',
  'window',
  'final',
  'stop',
] as const;
/** Name of the reason. */
export type TransitionReason = (typeof TRANSITION_REASONS)[number];

export const transitionSchema = z.strictObject({
  position: id,
  from: z.enum(TOKEN_STATES),
  to: z.enum(TOKEN_STATES),
  tokenBefore: id,
  token: id,
  confidence: z.number(),
  reason: z.enum(TRANSITION_REASONS),
});
/** A position that changed. */
export type Transition = Readonly<z.output<typeof transitionSchema>>;

/**
 * `superseded`: the position changed since launch; `late`: older than the policy allows; `finished`: decoding
 * ended first.
 */
export const DROP_REASONS = ['superseded', 'late', 'finished'] as const;
/** Name of the reason. */
export type DropReason = (typeof DROP_REASONS)[number];

/** A refresh outcome that did not land, and why. */
export const droppedRefreshSchema = z.strictObject({
  passId: z.string(),
  /** In the whole sequence, prompt included. */
  position: id,
  /** What changed it. */
  reason: z.enum(DROP_REASONS),
});
export type DroppedRefresh = Readonly<z.output<typeof droppedRefreshSchema>>;

/** A group of rows that turned out to be what the method would have run next. */
export interface AcceptedGroup {
  /** Index in the pass's groups. */
  readonly group: number;
  /** How many of the step's transitions, in order, its outcome brought about. */
  readonly transitions: number;
}

/** What a step led to. */
export interface ApplyResult {
  /** The sequence after the step. */
  readonly canvas: Canvas;
  /** Every change, in order. */
  readonly transitions: readonly Transition[];
  /** Refreshes that came to nothing. */
  readonly dropped: readonly DroppedRefresh[];
  /** Row groups of the main pass that were steps of the decode; empty when the pass has no groups. */
  readonly accepted: readonly AcceptedGroup[];
  /** KV entries that must be kept for later steps; everything else the engine may free. */
  readonly liveKv: readonly KvRef[];
}

/** What a decode may know beside prompt and length. */
export interface StartExtra {
  /** Tokens that end a text; default: none. */
  readonly endIds?: readonly number[];
  /** First tokens of the answer, masks where they are to be filled in; default: none. */
  readonly given?: readonly number[];
}

/**
 * A decoding method: a pure composition of rules. No engine, no clock, no I/O.
 */
export interface Policy {
  /** As in results. */
  readonly name: string;
  /**
   * Starts a decode.
   * @param genLength positions to generate, those of `extra.given` among them
   * @throws UsageError when the lengths contradict the rules
   */
  start(promptIds: readonly number[], genLength: number, maskId: number, extra?: StartExtra): Canvas;
  /** The next step, or null when decoding is finished. */
  plan(canvas: Canvas): StepPlan | null;
  /**
   * @param outcomes outcome of the main pass
   * @param landed outcomes of side passes (of this or earlier steps) that finished by this step's boundary
   */
  apply(canvas: Canvas, plan: StepPlan, outcomes: PassOutcome, landed: readonly PassOutcome[]): ApplyResult;
}

/** Plan and apply of a policy: what a method is, and what exact speculation wraps. */
export type Steps = Pick<Policy, 'plan' | 'apply'>;
