/**
 * Vocabulary of forward passes: what a step computes, as plain data. Below model, decoding and engines.
 */

/** Names one cached KV entry. Versions are unique per pass and grow with time. */
export interface KvRef {
  /** In the whole sequence, prompt included. */
  readonly position: number;
  /** Number of the pass that computed it. */
  readonly version: number;
}

/** One row of a forward pass: which position, and the token id it is fed (its token, a draft, or the mask). */
export interface PassRow {
  /** In the whole sequence, prompt included. */
  readonly position: number;
  /** Token id. */
  readonly feed: number;
  /** Counter of the random numbers that sample this row's token; left out when nothing is drawn. */
  readonly draw?: number;
  /** A token whose probability is wanted beside the best token's. */
  readonly asks?: number;
  /** Tokens besides which the best one is wanted as well. */
  readonly excludes?: readonly number[];
}

/**
 * - `prefill`: prompt rows, writes their KV; - `denoise`: window rows; - `seal`: rows of a finished block fed
 * with their final tokens, writes their KV; - `refresh`: visible positions of the prefix, re-scored beside the
 * main pass. What a prefill or a seal says is about the position after its row.
 */
export const PASS_KINDS = ['prefill', 'denoise', 'seal', 'refresh'] as const;
export type PassKind = (typeof PASS_KINDS)[number];

/**
 * Which of the pass's own rows a row attends to (it always sees every entry in `reads`). `shadow`: all own rows,
 * but of what it reads nothing at its own position; for rows that re-predict a position that is also elsewhere in
 * view. The logits of a `causal` row are about the position after its own. `ordered`: those before it in the list, which need not be
 * in the order of their positions.
 */
export const ROW_VISIBILITIES = ['all', 'self', 'causal', 'ordered', 'shadow'] as const;
export type RowVisibility = (typeof ROW_VISIBILITIES)[number];

/**
 * Rows that see each other as if they were a pass of their own. Versions tell several rows of one position apart.
 */
export interface RowGroup {
  /** What the rows are for. */
  readonly kind: PassKind;
  /** Version that every KV entry of these rows carries. The first group has the version of the pass. */
  readonly version: number;
  /** Number of rows; groups follow each other in `Pass.rows`. */
  readonly rows: number;
  /** Indices of earlier groups whose rows these rows see as well. */
  readonly sees: readonly number[];
  /** Among themselves. */
  readonly visibility: RowVisibility;
}

/** Several groups in one forward: each row sees `reads`, the groups its own group names, and its own group. */
export interface GroupedVisibility {
  /** In the order of the rows. */
  readonly groups: readonly RowGroup[];
}

export const LANES = ['main', 'side'] as const;
export type Lane = (typeof LANES)[number];

/** Which rows of a pass see each other. */
export type Visibility = RowVisibility | GroupedVisibility;

/** One forward pass, as data. */
export interface Pass {
  /** Unique in a decode: `${step}.${index}`. */
  readonly id: string;
  /** What the pass is for. */
  readonly kind: PassKind;
  /** `main` is the critical path; `side` runs beside it on the CPU and lands at a later step boundary. */
  readonly lane: Lane;
  /** Version that every KV entry computed by this pass carries. */
  readonly version: number;
  /** In the order in which they are computed. */
  readonly rows: readonly PassRow[];
  /** Cached entries it may read: all existed before the step began (law D3). Ascending position. */
  readonly reads: readonly KvRef[];
  /** Among its own rows. */
  readonly visibility: Visibility;
  /** Indices into `rows` that get logits. */
  readonly logits: readonly number[];
  /**
   * Scale of classifier-free guidance. The pass then has two groups, the rows and the same rows with the prompt
   * masked, and the logits of the first are guided by those of the second.
   */
  readonly guidance?: number;
  /** Computed with the adapter that the model has for drafts, where it has one: its rows draft, and nothing else. */
  readonly adapter?: true;
}

/** The passes of one step. */
export interface StepPlan {
  /** From 0. */
  readonly step: number;
  /** Current block, from 0. */
  readonly block: number;
  /** Exactly one main pass, then any number of side passes. */
  readonly passes: readonly Pass[];
  /** The step ends only when all its side passes are finished. */
  readonly joins?: boolean;
}

/** What the logits of one row said. */
export interface RowOutcome {
  /** In the whole sequence, prompt included. */
  readonly position: number;
  /** Best token other than the mask; ties go to the lowest id. */
  readonly token: number;
  /** Confidence of `token` under the policy's confidence rule. */
  readonly confidence: number;
  /** Probability of the token that the row asked about. */
  readonly asked?: number;
  /** How far the distribution moved at most in each of the last steps, in nats; left out unless the policy asks and there are as many. */
  readonly drift?: number;
  /** Logits between the best two tokens, the mask apart; left out unless the policy asks. */
  readonly gap?: number;
  /** Best token beside the mask and those that the row excludes; left out where it excludes none. */
  readonly instead?: number;
}

/** What the logits of a pass said. */
export interface PassOutcome {
  /** Of the pass. */
  readonly passId: string;
  /** Rows that got logits, in the order asked for. */
  readonly rows: readonly RowOutcome[];
}
