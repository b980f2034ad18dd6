import type { Canvas, Position, Transition, TransitionReason } from './types.js';

/** Collects the changes of one step and the transitions that explain them. The canvas it starts from stays as is. */
export class CanvasEdit {
  readonly transitions: Transition[] = [];
  private readonly positions: Position[];

  constructor(private readonly base: Canvas) {
    this.positions = [...base.positions];
  }

  get length(): number {
    return this.positions.length;
  }

  at(index: number): Position {
    return this.positions[index];
  }

  /** Changes a position without a transition (confidence, draft, KV). */
  patch(index: number, change: Partial<Position>): void {
    this.positions[index] = { ...this.positions[index], ...change };
  }

  /** Changes a position; a change of state or token is recorded, anything else too if `always`. */
  transit(index: number, change: Partial<Position>, reason: TransitionReason, always = false): void {
    const before = this.positions[index];
    const after = { ...before, ...change };
    this.positions[index] = after;
    if (!always && before.state === after.state && before.token === after.token) return;
    this.transitions.push({
      position: index,
      from: before.state,
      to: after.state,
      tokenBefore: before.token,
      token: after.token,
      confidence: after.confidence,
      reason,
    });
  }

  /** The canvas as edited so far. */
  canvas(change: Partial<Canvas> = {}): Canvas {
    return { ...this.base, ...change, positions: [...this.positions] };
  }
}
