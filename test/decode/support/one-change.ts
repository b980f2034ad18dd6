import type { Canvas, Draft, TokenState, Transition } from '../../../src/decode/canvas/types.js';
import type { Clause } from '../../../src/decode/laws/law.js';
import { type StepView, TrackedCanvas } from '../../../src/decode/laws/tracked.js';
import { checkTransition } from '../../../src/decode/laws/transition.js';
import type { LawPart } from '../../../src/decode/rules/law-parts.js';
import type { Pass, PassOutcome, RowOutcome } from '../../../src/pass/pass.js';

export const END = 7;
export const OTHER_END = 8;
export const MASK = 9;

/** One change of one position, and where it happens. The prompt is [END, 1], blocks are of two. */
export interface Scene {
  /** Tokens of the answer; the mask where undecided. */
  readonly answer: readonly number[];
  /** States of the answer; by default invisible where undecided, else stable. */
  readonly states?: readonly TokenState[];
  /** First positions of the answer that were given. */
  readonly given?: number;
  /** Drafts by position of the whole text. */
  readonly drafts?: Readonly<Record<number, Draft>>;
  readonly givenUp?: readonly LawPart[];
  /** Block that the step worked on; 0 by default. */
  readonly block?: number;
  readonly main?: Partial<Pass>;
  readonly outcome?: PassOutcome;
  readonly landed?: StepView['landed'];
  /** Tokens of the open block, before the step and after what its rows said. */
  readonly held?: readonly number[];
  /** The last position gets END by default, as what the step's logits say. */
  readonly change?: Partial<Transition>;
}

/** The clauses that a change breaks, and the canvas after it. */
export function judged(scene: Scene): { readonly clauses: Clause[]; readonly canvas: TrackedCanvas } {
  const {
    answer,
    states,
    given = 0,
    drafts = {},
    givenUp = [],
    block = 0,
    landed = new Map(),
    held = [],
  } = scene;
  const positions = [END, 1, ...answer].map((token, at) => ({
    state: states?.[at - 2] ?? (token === MASK ? ('IV' as const) : ('S' as const)),
    ...{ token, draft: drafts[at] ?? null, kv: null, confidence: 0 },
  }));
  const start = {
    ...{ promptLength: 2, genLength: answer.length, blockOrigin: 2, blockLength: 2 },
    ...{ given, endIds: [END, OTHER_END], maskId: MASK, positions },
  };
  const canvas = new TrackedCanvas(start as unknown as Canvas, new Set(givenUp), {
    attention: 'bidirectional',
  });
  const main = {
    id: '0.0',
    kind: 'denoise',
    lane: 'main',
    rows: [],
    logits: [],
    visibility: 'all',
    reads: [],
    ...scene.main,
  };
  const position = scene.change?.position ?? positions.length - 1;
  const { state, token } = positions[position] ?? { state: 'IV', token: MASK };
  const change = {
    position,
    from: state,
    to: 'S',
    token: END,
    tokenBefore: token,
    confidence: 1,
    reason: 'commit',
  };
  checkTransition(canvas, { ...change, ...scene.change } as Transition, {
    ...{ main: main as unknown as Pass, outcome: scene.outcome, block, landed, held: new Set(held) },
  });
  return { clauses: canvas.violations.map(({ clause }) => clause), canvas };
}

/** What a change breaks. */
export const broken = (scene: Scene): Clause[] => judged(scene).clauses;

/** A pass with its outcome: one row of logits per entry. */
export function said(
  rows: readonly RowOutcome[],
  pass: Partial<Pass> = {},
): { pass: Pass; outcome: PassOutcome } {
  const id = pass.id ?? '0.0';
  const own = rows.map(({ position }) => ({ position, feed: MASK }));
  return {
    pass: {
      id,
      rows: own,
      logits: rows.map((_, row) => row),
      kind: 'denoise',
      visibility: 'all',
      ...pass,
    } as Pass,
    outcome: { passId: id, rows },
  };
}
