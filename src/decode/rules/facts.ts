/**
 * What the rules of a policy say about themselves, so that the others can agree with them without knowing their
 * names. A new rule answers the questions of its kind; a new question is asked of every rule of the kind.
 */

import type { AttentionKind, OrderIds } from '../../model/model-shape.js';

/** Which KV a window relies on. */
export type Served = 'whole canvas' | 'finished rows' | 'rows outside the block';

export interface WindowFacts {
  /** What it leaves to the cache; `whole canvas`: nothing. */
  readonly relies: Served;
  /** Every position of the sequence is in it from the first step on. */
  readonly everyPosition: boolean;
  /** Its rows are those of the current block, and nothing right of it. */
  readonly blockAlone: boolean;
  /** Rows of later blocks are appended when few masks are left. */
  readonly lookahead: boolean;
  /** What rows see where the window alone decides it; null where cache and blocks do (`attentionOf`). */
  readonly attends: readonly AttentionKind[] | null;
  /** Most rows of one pass that see each other, where that is no block of the policy, and the options that say so. */
  readonly reach?: { readonly rows: number; readonly options: Readonly<Record<string, number>> };
  /** Rows of undecided positions are fed the mask token, so the model must have one. */
  readonly masks: boolean;
}

export interface CacheFacts {
  /** The window it is made for. */
  readonly serves: Served;
  /** Any entry is ever read. */
  readonly stores: boolean;
  /** How a finished block becomes durable; null when that is not how it is filled. */
  readonly seal: 'pass' | 'delayed' | 'as-is' | null;
  /** Blocks of the prompt see themselves and what is left of them. */
  readonly causalPrompt: boolean;
  /** The first token of a block is said by the last row before it. */
  readonly opens?: 'predicted';
}

/** Confidences of staged stabilization. */
export interface Stages {
  readonly visible: number;
  readonly stable: number;
}

export interface CommitFacts {
  /** Thresholds of visible and stable; null when a committed token is not revised. */
  readonly stages: Stages | null;
  /** What it commits may be taken back. */
  readonly revocable: boolean;
  /** Confidence at which a mask is expected to pass; null when a schedule says how many do. */
  readonly bar: number | null;
  /** Compares entropies, so rows must say theirs. */
  readonly entropy?: true;
  /** Commits in later blocks too, while the open one still has masks. */
  readonly ahead?: true;
  /** It asks how far the best two logits of a row are apart. */
  readonly gap?: true;
  /** Tokens that it takes for orders; it may ask a row for another token than its best. */
  readonly orders?: OrderIds;
  /** Confidence above which a row replaces the token of its block by another. */
  readonly edit?: number;
  /** Steps over which it asks how far the distribution of a row moved. */
  readonly drift?: number;
}

export interface SpeculateFacts {
  /** Predictions beyond the current block are kept, so rows there are of use. */
  readonly futureRows: boolean;
  /** Further states of the method ride in the same forward. */
  readonly widens: boolean;
}

export interface RevokeFacts {
  /** A masked copy of the block rides along. */
  readonly shadows: boolean;
}

export interface RefreshFacts {
  readonly launches: boolean;
}

export interface FinalFacts {
  readonly sweeps: boolean;
}

/** Whether a row's random numbers need a counter. */
export interface DrawFacts {
  readonly random: boolean;
  /** A confidence that is exp(-H): the entropy in nats can be read off it. */
  readonly entropy?: true;
}

export interface PolicyFacts {
  readonly blockLength: number;
  readonly blockOrigin: 'prompt' | 'zero';
  readonly guidance: number;
  readonly window: WindowFacts;
  readonly cache: CacheFacts;
  readonly commit: CommitFacts;
  readonly speculate: SpeculateFacts;
  readonly revoke: RevokeFacts;
  readonly refresh: RefreshFacts;
  readonly final: FinalFacts;
  readonly sampling: DrawFacts;
  readonly confidence: DrawFacts;
}
