import { groupsOf, logicalOutcomes, logicalPasses, mergePasses } from '../../../pass/groups.js';
import type { Pass, PassOutcome, RowOutcome } from '../../../pass/pass.js';
import { isUndecided, maskedInBlock } from '../../canvas/geometry.js';
import type { AcceptedGroup, Canvas, Steps, Transition } from '../../canvas/types.js';
import { byConfidence } from '../commit/by-confidence.js';

/** Options of exact speculation; their reasons are in its schema. */
interface DraftOptions {
  readonly tile: number;
  readonly extraTiles: number;
  readonly drafts: 'auto' | 'chain' | 'prefixes';
  readonly joinCertain: boolean;
  readonly slack: number;
}

const SURE = Number.POSITIVE_INFINITY;
const NEVER = Number.NEGATIVE_INFINITY;

/** A state the method may reach after some of the steps that one forward computes. */
interface State {
  readonly canvas: Canvas;
  /** What the method would run on it. */
  readonly pass: Pass;
}

/**
 * Exact speculation. The passes that the method would probably run next are predicted from the last confidences and
 * computed in the same forward, as groups of rows that do not see each other. Afterwards the method itself is
 * stepped: as long as the pass it asks for is, row by row and read by read, one that was computed, the forward is
 * saved. So the output is that of the method alone, for every model and prompt, and a wrong guess costs only rows.
 *
 * A block boundary is no obstacle: sealing a block and opening the next one are passes like any other, and rows of
 * the next block see the rows of the seal instead of its KV.
 *
 * @param bar confidence at which the method's commit rule lets a mask pass; null when a schedule says how many
 */
export function speculateOn(method: Steps, spec: DraftOptions, bar: number | null): Steps {
  return {
    plan(canvas) {
      const plan = method.plan(canvas);
      if (plan === null) return null;
      const [main, ...side] = plan.passes;
      const merged = mergePasses(new Drafter(spec, bar, method, canvas, main).passes);
      return merged === null || typeof merged.visibility === 'string' || merged.visibility.groups.length < 2
        ? plan
        : { ...plan, passes: [merged, ...side] };
    },
    apply(canvas, plan, outcome, landed) {
      const [main] = plan.passes;
      // A pass without groups, or whose groups are the method's own (a block-causal prompt), was not widened.
      const own = method.plan(canvas)?.passes[0];
      if (typeof main.visibility === 'string' || typeof own?.visibility !== 'string')
        return method.apply(canvas, plan, outcome, landed);
      return applyChain(method, canvas, main, outcome);
    },
  };
}

/** Steps the method through the computed passes for as long as they are its own. */
function applyChain(
  method: Steps,
  start: Canvas,
  main: Pass,
  outcome: PassOutcome,
): ReturnType<Steps['apply']> {
  const passes = logicalPasses(main);
  const outcomes = logicalOutcomes(main, outcome);
  const nextVersion = 1 + Math.max(...groupsOf(main).map(({ version }) => version));
  const accepted: AcceptedGroup[] = [];
  const transitions: Transition[] = [];
  let canvas = start;
  for (let group = 0; ; ) {
    const plan = { step: start.step, block: canvas.block, passes: [passes[group]] };
    const applied = method.apply(canvas, plan, outcomes[group], []);
    transitions.push(...applied.transitions);
    accepted.push({ group, transitions: applied.transitions.length });
    canvas = { ...applied.canvas, step: start.step, nextVersion };
    const wanted = method.plan(canvas)?.passes[0];
    const next =
      wanted === undefined ? -1 : passes.findIndex((pass, index) => index > group && isSame(pass, wanted));
    if (next < 0) {
      const done = { ...canvas, step: start.step + 1 };
      return { canvas: done, transitions, dropped: [], accepted, liveKv: applied.liveKv };
    }
    group = next;
  }
}

/** Two passes compute the same: equal but for id and version. */
function isSame(a: Pass, b: Pass): boolean {
  return (
    a.kind === b.kind &&
    a.rows.length === b.rows.length &&
    a.reads.length === b.reads.length &&
    a.logits.length === b.logits.length &&
    a.rows.every(({ position, feed, draw }, i) => {
      const other = b.rows[i];
      return position === other.position && feed === other.feed && draw === other.draw;
    }) &&
    a.reads.every((ref, i) => ref.position === b.reads[i].position && ref.version === b.reads[i].version) &&
    a.logits.every((row, i) => row === b.logits[i])
  );
}

/** Collects draft states within the row budget of one forward. */
class Drafter {
  readonly passes: Pass[];
  private budget: number;
  private rows: number;

  constructor(
    private readonly spec: DraftOptions,
    private readonly bar: number | null,
    private readonly method: Steps,
    private readonly start: Canvas,
    main: Pass,
  ) {
    this.passes = [main];
    this.rows = main.rows.length;
    this.budget = this.tiles(main) * spec.tile + spec.extraTiles * spec.tile;
    this.grow({ canvas: start, pass: main });
  }

  private tiles({ rows }: Pass): number {
    return Math.ceil(rows.length / this.spec.tile);
  }

  private get chain(): boolean {
    const { drafts } = this.spec;
    return drafts === 'chain' || (drafts === 'auto' && this.bar === null);
  }

  /** Adds what may follow a state. */
  private grow(state: State): void {
    if (state.pass.logits.length === 0) {
      // Prefill and seal decide nothing: what follows is certain.
      const next = this.add(state, []);
      if (next !== null) this.grow(next);
      return;
    }
    const forecast = this.forecast(state);
    if (forecast === null) return;
    if (this.chain) {
      const next = this.add(state, forecast);
      if (next !== null) this.grow(next);
      return;
    }
    for (const rows of this.prefixes(state.canvas, forecast)) {
      const next = this.add(state, rows);
      if (next === null) return;
      if (next.pass.logits.length === 0) this.grow(next);
    }
  }

  /** Outcome of a pass if nothing changed since the last forward; null when a mask has no prediction yet. */
  private forecast({ canvas, pass }: State): RowOutcome[] | null {
    const rows: RowOutcome[] = [];
    for (const row of pass.logits) {
      const { position } = pass.rows[row];
      const { token, draft } = canvas.positions[position];
      if (!isUndecided(canvas, position)) rows.push({ position, token, confidence: 1 });
      else if (draft === null) return null;
      else rows.push({ position, token: draft.token, confidence: draft.confidence });
    }
    return rows;
  }

  /** Outcomes that commit the 1, 2, 3 ... most confident masks, the most probable number first. */
  private prefixes(canvas: Canvas, forecast: readonly RowOutcome[]): RowOutcome[][] {
    const masked = new Set(maskedInBlock(canvas));
    const order = forecast.filter(({ position }) => masked.has(position)).sort(byConfidence);
    const bar = (this.bar ?? 0.9) - this.spec.slack;
    const expected = Math.max(1, order.filter(({ confidence }) => confidence >= bar).length);
    const counts = order.map((_, index) => index + 1);
    counts.sort((a, b) => Math.abs(a - expected) - Math.abs(b - expected) || a - b);
    return counts.map((count) => {
      const chosen = new Set(order.slice(0, count).map(({ position }) => position));
      return forecast.map((row) => ({ ...row, confidence: chosen.has(row.position) ? SURE : NEVER }));
    });
  }

  /** The state after an outcome and its pass, if there is room for it. */
  private add({ canvas, pass }: State, rows: readonly RowOutcome[]): State | null {
    const plan = { step: canvas.step, block: canvas.block, passes: [pass] };
    const { step, nextVersion } = this.start;
    const after: Canvas = {
      ...this.method.apply(canvas, plan, { passId: pass.id, rows }, []).canvas,
      step,
      nextVersion: nextVersion + this.passes.length,
    };
    const next = this.method.plan(after)?.passes[0];
    if (next === undefined) return null;
    // No guess, and no more tiles than in a forward of its own.
    const certain = this.spec.joinCertain && this.passes.length === 1 && pass.logits.length === 0;
    const room = certain ? this.tiles(next) * this.spec.tile : 0;
    if (this.rows + next.rows.length > this.budget + room) return null;
    if (this.passes.some((known) => isSame(known, next))) return null;
    if (mergePasses([...this.passes, next]) === null) return null;
    this.passes.push(next);
    this.budget += room;
    this.rows += next.rows.length;
    return { canvas: after, pass: next };
  }
}
