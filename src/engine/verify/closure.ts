import { CheckError } from '../../errors.js';
import type { RowOutcome } from '../../pass/pass.js';
import { type Part, predictorOf, seesContext, seesOwn } from './parts.js';

/**
 * The cacheless form of a set of parts: every (position, version) row they depend on, as one sequence, and
 * which row may see which. What a KV cache holds is replaced by the rows it was computed from.
 */
export interface JointPass {
  /** One entry per row; versions distinguish several computations of the same position. */
  readonly rows: readonly { readonly position: number; readonly version: number; readonly feed: number }[];
  /** [rows, rows] of ones and zeros. */
  readonly visibility: Float32Array;
  /** By row: 1 where it was computed with the model's adapter for drafts. */
  readonly adapter: Float32Array;
  /** Rows to compare: index into `rows`, and what the trace says. */
  readonly wanted: readonly {
    readonly row: number;
    readonly partId: string;
    readonly position: number;
    readonly asks?: number;
    readonly excludes?: readonly number[];
    readonly draw?: number;
    readonly denoises: boolean;
    readonly recorded: RowOutcome;
  }[];
}

/** Versions a pass depends on, itself included, through any chain of cached entries. */
export function closureOf(pass: Part, byVersion: ReadonlyMap<number, Part>): Set<number> {
  const closure = new Set<number>();
  const open = [pass.version];
  for (let version = open.pop(); version !== undefined; version = open.pop()) {
    if (closure.has(version)) continue;
    closure.add(version);
    const member = byVersion.get(version);
    if (member === undefined)
      throw new CheckError(`pass ${pass.id} depends on version ${version}, which no pass wrote`);
    for (const read of member.context) if (!closure.has(read.version)) open.push(read.version);
  }
  return closure;
}

/**
 * Groups passes so that one joint forward recomputes several of them: consecutive passes share most of what they
 * depend on. A pass whose own closure exceeds `maxRows` gets a group of its own.
 */
export function groupPasses(
  targets: readonly Part[],
  byVersion: ReadonlyMap<number, Part>,
  maxRows: number,
): { readonly targets: readonly Part[]; readonly versions: ReadonlySet<number> }[] {
  const rowsOf = (versions: Iterable<number>): number => {
    let rows = 0;
    for (const version of versions) rows += byVersion.get(version)?.rows.length ?? 0;
    return rows;
  };
  const groups: { targets: Part[]; versions: Set<number> }[] = [];
  let current: { targets: Part[]; versions: Set<number> } | null = null;
  for (const target of targets) {
    const closure = closureOf(target, byVersion);
    const joined: Set<number> = new Set([...(current?.versions ?? []), ...closure]);
    if (current !== null && rowsOf(joined) <= maxRows) {
      current.targets.push(target);
      current.versions = joined;
    } else {
      current = { targets: [target], versions: closure };
      groups.push(current);
    }
  }
  return groups;
}

/**
 * Lays the rows of a group out as one sequence with its visibility matrix.
 * @param shiftLogits each position is predicted from the row before it
 */
export function jointPass(
  group: { readonly targets: readonly Part[]; readonly versions: ReadonlySet<number> },
  byVersion: ReadonlyMap<number, Part>,
  shiftLogits = false,
): JointPass {
  const rows: { position: number; version: number; feed: number }[] = [];
  const indexOf = new Map<string, number>();
  const key = (position: number, version: number): string => `${position}@${version}`;
  const members = [...group.versions].sort((a, b) => a - b).map((version) => byVersion.get(version) as Part);
  for (const pass of members) {
    for (const row of pass.rows) {
      indexOf.set(key(row.position, pass.version), rows.length);
      rows.push({ position: row.position, version: pass.version, feed: row.feed });
    }
  }
  const visibility = new Float32Array(rows.length * rows.length);
  for (const pass of members) {
    const own = pass.rows.map((row) => indexOf.get(key(row.position, pass.version)) as number);
    const cached = pass.context.map((read) => {
      const index = indexOf.get(key(read.position, read.version));
      if (index === undefined) {
        throw new CheckError(
          `pass ${pass.id} reads position ${read.position} of version ${read.version}, which has no such row`,
        );
      }
      return index;
    });
    own.forEach((row, r) => {
      const base = row * rows.length;
      for (const index of cached) if (seesContext(pass, r, rows[index])) visibility[base + index] = 1;
      own.forEach((other, o) => {
        if (seesOwn(pass, r, o)) visibility[base + other] = 1;
      });
    });
  }
  const wanted = group.targets.flatMap((part) =>
    part.scored.map(({ row, recorded }) => {
      const { position, asks, excludes, draw } = part.rows[row];
      const predictor = part.rows[predictorOf(part, row, shiftLogits)];
      return {
        row: indexOf.get(key(predictor.position, part.version)) as number,
        partId: part.id,
        position,
        asks,
        excludes,
        draw,
        denoises: part.denoises,
        recorded,
      };
    }),
  );
  const adapter = Float32Array.from(rows, ({ version }) =>
    byVersion.get(version)?.adapter === true ? 1 : 0,
  );
  return { rows, visibility, adapter, wanted };
}
