import { expect } from 'vitest';
import type { StepRecord } from '../../src/decode/method/step-record.js';
import type { Pass, RowOutcome } from '../../src/pass/pass.js';
import type { Forward, PlainKey, PlainRow } from './plain-model.js';

/** An assertion costs more than all that it compares: it is made where it fails. */
function same<T>(recorded: readonly T[], plain: readonly T[], what: string): void {
  if (recorded.length !== plain.length || recorded.some((value, at) => value !== plain[at]))
    expect(recorded, what).toEqual(plain);
}

/** Token and confidence that a plain loop finds in a row of logits; `margin` is how close another token was. */
export interface PlainScore {
  readonly token: number;
  readonly confidence: number;
  readonly margin: number;
}

export type Scorer = (logits: readonly number[], at: { position: number; draw: number | null }) => PlainScore;

/** A row a plain loop asks for. */
export interface Asked {
  readonly position: number;
  readonly feed: number;
  /** Counter of its random numbers; null when nothing is drawn. */
  readonly draw?: number | null;
}

/** What was said about a position. */
export type Scored = Pick<RowOutcome, 'position' | 'token' | 'confidence' | 'drift' | 'gap' | 'instead'>;

/** What `toBeCloseTo` with three digits lets pass. */
const CONFIDENCE_ERROR = 5e-4;

/** One recorded forward without groups, written apart from the program's own taking apart. */
interface Part {
  readonly step: number;
  readonly version: number;
  readonly rows: Pass['rows'];
  /** What its rows see beyond each other, as `position:version`; a shadow row not what is at its own position. */
  readonly seen: readonly string[];
  readonly shadow: boolean;
  readonly causal: boolean;
  readonly ordered: boolean;
  readonly adapter: boolean;
  readonly outcome: readonly RowOutcome[];
}

/** The forwards of a decode in order; of drafted states only those that turned out to be steps. */
function partsOf(steps: readonly StepRecord[]): Part[] {
  return steps.flatMap(({ plan, outcomes, accepted }) =>
    plan.passes.flatMap((pass, index): Part[] => {
      const { visibility } = pass;
      const alone = { version: pass.version, rows: pass.rows.length, sees: [] as readonly number[] };
      const groups = typeof visibility === 'string' ? [{ ...alone, visibility }] : visibility.groups;
      const starts = groups.map((_, group) => groups.slice(0, group).reduce((sum, g) => sum + g.rows, 0));
      const key = (position: number, version: number) => `${position}:${version}`;
      const rowsOf = (group: number) => pass.rows.slice(starts[group], starts[group] + groups[group].rows);
      const taken = groups.map((group, at): Part => {
        const first = pass.logits.filter((row) => row < starts[at]).length;
        const own = pass.logits.filter((row) => row >= starts[at] && row < starts[at] + group.rows).length;
        return {
          step: plan.step,
          version: group.version,
          rows: rowsOf(at),
          seen: [
            ...pass.reads.map(({ position, version }) => key(position, version)),
            ...group.sees.flatMap((other) =>
              rowsOf(other).map((r) => key(r.position, groups[other].version)),
            ),
          ],
          shadow: group.visibility === 'shadow',
          causal: group.visibility === 'causal',
          ordered: group.visibility === 'ordered',
          adapter: pass.adapter === true,
          outcome: outcomes[index].rows.slice(first, first + own),
        };
      });
      return index > 0 || accepted.length === 0 ? taken : accepted.map(({ group }) => taken[group]);
    }),
  );
}

/**
 * Follows a recorded decode, forward by forward: a plain loop says which rows it wants, what they are fed and see; the
 * witness compares that with the record, computes the rows itself, compares what their logits say, and hands back what
 * was recorded, so that rounding never leads the two apart.
 */
export class Witness {
  private readonly parts: Part[];
  private readonly keyOf = new Map<string, PlainKey>();
  private at = 0;
  private last: Part | undefined;
  rows = 0;

  constructor(
    private readonly model: Forward,
    private readonly steps: readonly StepRecord[],
  ) {
    this.parts = partsOf(steps);
  }

  /** Refresh passes, as `step.index`, whose results were there when a step ended: a matter of the clock. */
  landed(step: number): readonly string[] {
    return this.steps[step].landed;
  }

  /** The loop is over, and so is the record. */
  end(): void {
    expect(this.at, 'forwards').toBe(this.parts.length);
  }

  /**
   * @param cached computed rows that every row sees beside the others, or those a row sees
   * @param scorer null when no logits are wanted
   * @param wanted positions that get logits; default all
   */
  pass(
    rows: readonly Asked[],
    cached: readonly PlainKey[] | ((row: Asked) => readonly PlainKey[]),
    scorer: Scorer | null,
    options: {
      readonly wanted?: (position: number) => boolean;
      readonly causal?: boolean;
      /** A row sees those before it in the list. */
      readonly ordered?: boolean;
      /** Tokens besides which a row is asked for another. */
      readonly excludes?: (position: number) => readonly number[];
      /** Rows that draft, with the model's adapter where it has one. */
      readonly adapter?: boolean;
      /** Logits are about the position after their row, as they are in a causal pass. */
      readonly next?: boolean;
      /** Logits changed before they are scored, for guidance. */
      readonly logits?: (row: number, logits: readonly number[]) => readonly number[];
    } = {},
  ): {
    readonly keys: PlainKey[];
    readonly scores: Scored[];
    /** Logits about a position. */
    readonly predict: (position: number) => readonly number[];
  } {
    const part = this.parts[this.at++];
    this.last = part;
    expect(part, `forward ${this.at}`).toBeDefined();
    const where = `step ${part.step}`;
    const fed = (of: readonly Asked[] | Part['rows']) => of.flatMap(({ position, feed }) => [position, feed]);
    same(fed(part.rows), fed(rows), `${where}: rows`);
    const asked = rows.map(
      (row): PlainRow => ({
        ...row,
        cached: typeof cached === 'function' ? cached(row) : cached,
      }),
    );
    asked.forEach((row, i) => {
      const recorded = part.seen
        .filter((key) => !(part.shadow && key.startsWith(`${part.rows[i].position}:`)))
        .map((key) => this.keyOf.get(key));
      const seen = new Set(recorded);
      if (seen.size !== new Set(row.cached).size || row.cached.some((key) => !seen.has(key)))
        expect(seen, `${where}, position ${row.position}: sees`).toEqual(new Set(row.cached));
    });
    const several = rows.length > 1;
    same(
      [part.causal && several, part.ordered, part.adapter],
      [options.causal === true && several, options.ordered === true, options.adapter === true],
      `${where}: causal, ordered, adapter`,
    );
    const sees = (row: PlainRow, other: PlainRow) =>
      options.ordered === true
        ? asked.indexOf(other) <= asked.indexOf(row)
        : options.causal !== true || other.position <= row.position;
    const { keys, logits } = this.model.run(asked, sees, options.adapter);
    for (const key of keys) this.keyOf.set(`${key.position}:${part.version}`, key);
    const scores = this.scores(part, rows, logits, scorer, options);
    return { keys, scores, predict: (position) => logits[this.predictor(rows, position)] };
  }

  /** Logits of rows that see each other, without a forward of the record. */
  peek(rows: readonly Asked[]): readonly (readonly number[])[] {
    return this.model.run(
      rows.map((row) => ({ ...row, cached: [] })),
      () => true,
    ).logits;
  }

  /** Recorded probability of the token that a shadow row of the last forward asked about. */
  asked(position: number): number {
    return this.last?.outcome.find((row) => row.position === position)?.asked ?? Number.NaN;
  }

  /** Two probabilities, or two changes of a distribution, that should be one. */
  near(recorded: number, plain: number): void {
    if (!(Math.abs(recorded - plain) < 5e-4))
      expect(recorded, `step ${this.last?.step}`).toBeCloseTo(plain, 3);
  }

  /** A model that shifts says in the row before what belongs here; a row without one before it says it itself. */
  private predictor(rows: readonly Asked[], position: number): number {
    const before = rows.findIndex((other) => other.position === position - 1);
    const own = rows.findIndex((other) => other.position === position);
    return this.model.config.shiftLogits && before >= 0 ? before : own;
  }

  private scores(
    part: Part,
    rows: readonly Asked[],
    logits: readonly (readonly number[])[],
    scorer: Scorer | null,
    { wanted = () => true, logits: change, causal, next, excludes }: Parameters<Witness['pass']>[3] & object,
  ): Scored[] {
    const scored = scorer === null ? [] : rows.filter(({ position }) => wanted(position));
    const positions = (of: readonly { readonly position: number }[]) => of.map(({ position }) => position);
    same(positions(part.outcome), positions(scored), `step ${part.step}: logits`);
    if (scorer === null) return [];
    return scored.map((row, at) => {
      const { position, token, confidence, drift, gap, instead } = part.outcome[at];
      const from = causal === true || next === true ? rows.indexOf(row) : this.predictor(rows, position);
      const plain = scorer(change?.(from, logits[from]) ?? logits[from], {
        position,
        draw: row.draw ?? null,
      });
      const what = `step ${part.step}, position ${position}`;
      const near = token === plain.token && Math.abs(confidence - plain.confidence) < CONFIDENCE_ERROR;
      if (plain.margin > 1e-3 && !near) {
        expect(token, `${what}: token`).toBe(plain.token);
        expect(confidence, `${what}: confidence`).toBeCloseTo(plain.confidence, 3);
      }
      const none = [...(excludes?.(position) ?? [])].sort((a, b) => a - b);
      const asked = part.rows.find((own) => own.position === position)?.excludes ?? [];
      same(
        [...asked].sort((a, b) => a - b),
        none,
        `${what}: excludes`,
      );
      if (instead !== undefined) {
        const mask = this.model.config.maskId ?? -1;
        const rest = logits[from].map((logit, id) => (none.includes(id) || id === mask ? -Infinity : logit));
        expect(logits[from][instead], `${what}: instead`).toBeGreaterThan(Math.max(...rest) - 1e-3);
        expect([mask, ...none]).not.toContain(instead);
      }
      this.rows++;
      return { position, token, confidence, drift, gap, instead };
    });
  }
}
