import type { Pass, PassOutcome } from '../../pass/pass.js';
import { blockCount, blockRange, positionsOf } from '../canvas/geometry.js';
import type { Canvas, Draft, KvEntry, TokenState } from '../canvas/types.js';
import type { LawPart } from '../rules/law-parts.js';
import { CLAUSES, type Clause, type Trained, type Violation } from './law.js';

/** What the checker knows of a position. */
export interface Tracked {
  state: TokenState;
  token: number;
  kv: KvEntry | null;
  draft: Draft | null;
}

/** A side pass under way. */
export interface Launched {
  readonly pass: Pass;
  readonly outcome: PassOutcome;
}

/** The step under examination, as far as its changes depend on it. */
export interface StepView {
  readonly main: Pass;
  readonly outcome: PassOutcome | undefined;
  /** The open block when it began. */
  readonly block: number;
  readonly landed: ReadonlyMap<string, Launched>;
  /** Tokens that the open block held before the step, or that its rows said. */
  readonly held: ReadonlySet<number>;
}

export const isMasked = (state: TokenState): boolean => state === 'M' || state === 'IV';

/** The checker's own copy of the canvas, and what was found wrong on the way. */
export class TrackedCanvas {
  readonly violations: Violation[] = [];
  readonly positions: readonly Tracked[];
  step = 0;

  constructor(
    readonly start: Canvas,
    readonly givenUp: ReadonlySet<LawPart>,
    readonly trained: Trained,
  ) {
    this.positions = start.positions.map(({ state, token, kv, draft }) => ({ state, token, kv, draft }));
  }

  at(position: number): Tracked {
    return this.positions[position];
  }

  fault(clause: Clause, position: number | null, message: string): void {
    this.violations.push({ law: CLAUSES[clause].law, clause, step: this.step, position, message });
  }

  /** First block with a position that is not decided, or whose token may still change. */
  openBlock(): number {
    const blocks = blockCount(this.start);
    const edits = this.givenUp.has('B1-edits');
    const isOpen = ({ state }: Tracked): boolean => isMasked(state) || (edits && state === 'V');
    for (let block = 0; block < blocks; block++) {
      if (positionsOf(blockRange(this.start, block)).some((at) => isOpen(this.positions[at]))) return block;
    }
    return blocks;
  }

  /** Positions without a token. */
  masked(): number {
    return this.positions.filter(({ state }) => isMasked(state)).length;
  }
}
