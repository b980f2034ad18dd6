import type { ModelConfig } from '../../model/config.js';
import type { Canvas } from '../canvas/types.js';
import type { StepRecord } from '../method/step-record.js';
import type { LawPart } from '../rules/law-parts.js';

/**
 * - B1 blocks complete strictly left to right; B2 a draft never writes durable KV; B3 a draft is accepted only on
 *   logits of the same step;
 * - D1 a stable position never changes (token, KV, version); D2 only stable positions enter the long-term prefix,
 *   with KV made from their final token; D3 every pass reads the snapshot at the start of its step and a refresh
 *   lands whole or not at all; D4 every step makes progress, within the step budget, and no mask is left;
 *   D5 an invisible position in the window gets logits in every denoising step; D7 at the end every visible
 *   position is reported;
 * - `trace` the record contradicts itself.
 */
export type Law = 'B1' | 'B2' | 'B3' | 'D1' | 'D2' | 'D3' | 'D4' | 'D5' | 'D7' | 'trace';

/** Every way in which a law can be broken. The checker names the clause; a test damages a sound record for each. */
export const CLAUSES = {
  'plan-block': { law: 'B1', says: 'a plan works on the open block' },
  'block-order': { law: 'B1', says: 'tokens are given and taken back in the open block only' },
  'masked-read': { law: 'B2', says: 'no pass reads KV of an undecided position' },
  'masked-kv': { law: 'B2', says: 'an undecided position has no durable KV' },
  'adapter-kv': { law: 'B2', says: 'KV that the adapter for drafts had a part in is not kept' },
  'decided-draft': { law: 'B2', says: 'a decided position has no draft' },
  'draft-unscored': { law: 'B3', says: 'an accepted draft has logits in the same step' },
  'draft-token': { law: 'B3', says: 'an accepted draft becomes the token that they name' },
  'draft-confidence': { law: 'B3', says: 'an accepted draft has the confidence that they give' },
  'draft-unknown': { law: 'B3', says: 'an accepted draft was there' },
  'carried-unknown': { law: 'B3', says: 'a carried draft was there, with this token and confidence' },
  'carried-stale': { law: 'B3', says: 'a draft is not carried over without fresh logits' },
  'stable-change': { law: 'D1', says: 'a stable position keeps state and token' },
  'stable-kv': { law: 'D1', says: 'a stable position keeps its KV' },
  'stable-fed': { law: 'D1', says: 'a stable row is fed its token' },
  'refresh-target': { law: 'D2', says: 'only visible positions of the prefix are refreshed' },
  'long-term-state': { law: 'D2', says: 'long-term KV belongs to a stable position' },
  'mutable-state': { law: 'D2', says: 'mutable KV belongs to a visible position' },
  'long-term-token': { law: 'D2', says: 'long-term KV is made from the final token' },
  'snapshot-read': { law: 'D3', says: 'a pass reads the versions at the start of its step' },
  'beyond-attention': { law: 'D3', says: 'a row sees no position that its model was trained not to see' },
  'own-read': { law: 'D3', says: 'a pass does not read a position that it computes' },
  'landing-unknown': { law: 'D3', says: 'a refresh that lands was launched' },
  'drop-unknown': { law: 'D3', says: 'a refresh that is dropped was launched' },
  'landing-half': { law: 'D3', says: 'a refresh lands at all of its positions' },
  'landing-none': { law: 'D3', says: 'a refreshed position was refreshed by a pass that landed' },
  'kv-without-landing': { law: 'D3', says: 'KV of a refresh is written when it lands' },
  progress: { law: 'D4', says: 'a step gives a token or makes KV durable' },
  'mask-token': { law: 'D4', says: 'a decided position does not hold the mask' },
  budget: { law: 'D4', says: 'the decode ends within its budget of steps' },
  'mask-left': { law: 'D4', says: 'no mask is left at the end' },
  'invisible-unscored': { law: 'D5', says: 'an invisible position gets logits' },
  'visible-unreported': { law: 'D7', says: 'a position that is visible at the end is reported' },
  'step-number': { law: 'trace', says: 'steps are numbered from 0' },
  'main-pass': { law: 'trace', says: 'a step has one main pass, and it comes first' },
  'outcome-missing': { law: 'trace', says: 'every pass has its outcome' },
  'outcome-rows': {
    law: 'trace',
    says: 'a pass says something of every row that gets logits, and of no other',
  },
  'accepted-unknown': { law: 'trace', says: 'a step of several is a row group of the main pass' },
  'accepted-beside': { law: 'trace', says: 'nothing runs beside row groups that are steps' },
  'version-twice': { law: 'trace', says: 'a version belongs to one pass' },
  'visible-fed': {
    law: 'trace',
    says: 'a visible row is fed its token, or the mask where it is scored unseen',
  },
  'undecided-fed': { law: 'trace', says: 'an undecided row is fed its draft or the mask' },
  'guidance-copy': { law: 'trace', says: 'the rows that guide a pass are its own with the prompt masked' },
  'shadow-fed': { law: 'trace', says: 'a shadow row is fed the mask' },
  'transition-from': { law: 'trace', says: 'a change begins with the state and token that the position has' },
  'committed-unscored': { law: 'trace', says: 'a token is given by logits of the same step' },
  'revised-unscored': { law: 'trace', says: 'a token is replaced by logits of the same step' },
  'refreshed-unscored': { law: 'trace', says: 'a refresh sets what its own logits say' },
  'shifted-unheld': {
    law: 'trace',
    says: 'a token that moves was in the open block, or is a mask that comes in',
  },
  'revoked-unscored': { law: 'trace', says: 'a token is taken back because its shadow row says so' },
  'stop-without-end': {
    law: 'trace',
    says: 'what is left gets the end token, and only behind a finished block that holds it',
  },
  bookkeeping: { law: 'trace', says: 'the window and the final report change no token' },
  'kv-uncomputed': { law: 'trace', says: 'durable KV was computed by a row fed the same token' },
  'joined-landing': { law: 'trace', says: 'a step that joins ends with its side passes landed or dropped' },
} as const satisfies Record<string, { readonly law: Law; readonly says: string }>;

/** A way in which a law can be broken. */
export type Clause = keyof typeof CLAUSES;

/** A place where a record breaks a law. */
export interface Violation {
  /** Which one. */
  readonly law: Law;
  /** In which way. */
  readonly clause: Clause;
  /** From 0. */
  readonly step: number;
  /** Null when the whole step is at fault. */
  readonly position: number | null;
  /** What is wrong. */
  readonly message: string;
}

/** What a row of a model may see. */
export type Trained = Pick<ModelConfig, 'attention' | 'alsoCausal' | 'blockLength'>;

export interface LawContext {
  /** Canvas the decode started from. */
  readonly start: Canvas;
  /** Most steps it may take. */
  readonly stepBudget: number;
  /** What the model was trained to see. */
  readonly trained: Trained;
  /** Parts of laws that the policy gives up by design (`lawsGivenUp`). */
  readonly givenUp: readonly LawPart[];
}

export type CheckedStep = Omit<StepRecord, 'timing'>;
