import type { KvRef, Pass, PassOutcome, RowGroup } from './pass.js';

/** The groups of a pass; a pass without groups is one group. */
export function groupsOf(pass: Pass): readonly RowGroup[] {
  if (typeof pass.visibility !== 'string') return pass.visibility.groups;
  const { kind, version, visibility } = pass;
  return [{ kind, version, rows: pass.rows.length, sees: [], visibility }];
}

/** Index of the first row of every group. */
export function groupStarts(groups: readonly RowGroup[]): number[] {
  let start = 0;
  return groups.map(({ rows }) => {
    const first = start;
    start += rows;
    return first;
  });
}

/**
 * The passes without groups that, run one after another, compute the same: a group that sees another reads the KV
 * entries of its rows. The first keeps the id of the pass, the others are `${id}/${group}`.
 */
export function logicalPasses(pass: Pass): Pass[] {
  if (typeof pass.visibility === 'string') return [pass];
  const { groups } = pass.visibility;
  const starts = groupStarts(groups);
  return groups.map((group, index) => {
    const first = starts[index];
    const end = first + group.rows;
    const seen = group.sees.flatMap((other): KvRef[] =>
      pass.rows
        .slice(starts[other], starts[other] + groups[other].rows)
        .map(({ position }) => ({ position, version: groups[other].version })),
    );
    return {
      id: index === 0 ? pass.id : `${pass.id}/${index}`,
      kind: group.kind,
      lane: pass.lane,
      version: group.version,
      rows: pass.rows.slice(first, end),
      reads: [...pass.reads, ...seen].sort((a, b) => a.position - b.position || a.version - b.version),
      visibility: group.visibility,
      logits: pass.logits.filter((row) => row >= first && row < end).map((row) => row - first),
      adapter: pass.adapter,
    };
  });
}

/**
 * The outcome of a pass cut up like `logicalPasses`. A row that has no outcome where it should have one leaves a gap: nobody else's moves
 * up. Where one of two equal positions lacks it, it is that of the first part.
 */
export function logicalOutcomes(pass: Pass, { rows: outcomes }: PassOutcome): PassOutcome[] {
  let end = outcomes.length;
  const parts = logicalPasses(pass).reverse();
  return parts
    .map(({ id, rows, logits }) => ({
      passId: id,
      rows: [...logits]
        .reverse()
        .flatMap((row) => {
          // A damaged record may ask for rows that are not there.
          const position = rows[row]?.position;
          const has = position !== undefined && outcomes[end - 1]?.position === position;
          return has ? [outcomes[--end]] : [];
        })
        .reverse(),
    }))
    .reverse();
}

/**
 * One forward that computes several passes of the same lane. Entries that a pass reads of an earlier one of the
 * list become visible groups; everything else it reads must be read by all (`common`), or it cannot ride along.
 * @returns null when the passes do not fit into one forward
 */
export function mergePasses(passes: readonly Pass[]): Pass | null {
  const [first] = passes;
  const groupOfVersion = new Map(passes.map((pass, index) => [pass.version, index]));
  const common = new Set(first.reads.map(({ position, version }) => `${position}:${version}`));
  const groups: RowGroup[] = [];
  for (const pass of passes) {
    if (typeof pass.visibility !== 'string' || pass.adapter !== first.adapter) return null;
    const outside = pass.reads.filter(({ version }) => !groupOfVersion.has(version));
    const sees = [...new Set(pass.reads.flatMap(({ version }) => groupOfVersion.get(version) ?? []))];
    const inside = pass.reads.length - outside.length;
    const whole = sees.reduce((sum, index) => sum + passes[index].rows.length, 0);
    const sameReads =
      outside.length === common.size &&
      outside.every(({ position, version }) => common.has(`${position}:${version}`));
    if (!sameReads || inside !== whole || sees.some((index) => index >= groups.length)) return null;
    const { kind, version, rows, visibility } = pass;
    groups.push({ kind, version, rows: rows.length, sees, visibility });
  }
  const starts = groupStarts(groups);
  const logits = passes.flatMap((pass, index) => pass.logits.map((row) => row + starts[index]));
  return {
    ...first,
    kind: passes.find((pass) => pass.logits.length > 0)?.kind ?? first.kind,
    rows: passes.flatMap((pass) => pass.rows),
    visibility: { groups },
    logits,
  };
}

/** A pass whose rows see their block of `blockLength` and those before it; logits stay at their rows. */
export function inBlocks(pass: Pass, blockLength: number): Pass {
  const parts: Pass[] = [];
  for (let start = 0; start < pass.rows.length; start += blockLength) {
    const end = start + blockLength;
    parts.push({
      ...pass,
      id: `${pass.id}/${parts.length}`,
      version: pass.version + parts.length,
      rows: pass.rows.slice(start, end),
      reads: [
        ...pass.reads,
        ...parts.flatMap(({ rows, version }) => rows.map(({ position }) => ({ position, version }))),
      ],
      logits: pass.logits.filter((row) => row >= start && row < end).map((row) => row - start),
    });
  }
  const merged = mergePasses(parts);
  if (merged === null) throw new Error('blocks see whole blocks');
  return { ...merged, id: pass.id };
}

/**
 * The rows whose logits predict the wanted ones when a model predicts each position from the row before it (Dream).
 * A row whose predecessor is not in its group predicts itself, as the first of Fast-dLLM's cached slices does. Rows of
 * a causal pass, of a prefill and of a seal are the predictors already.
 */
export function shiftedRows(pass: Pass): number[] {
  const groups = groupsOf(pass);
  const starts = groupStarts(groups);
  return pass.logits.map((row) => {
    const group = starts.findLastIndex((start) => start <= row);
    const { kind, visibility } = groups[group];
    if (visibility === 'causal' || kind === 'prefill' || kind === 'seal') return row;
    const before = pass.rows
      .slice(starts[group], starts[group] + groups[group].rows)
      .findIndex(({ position }) => position === pass.rows[row].position - 1);
    return before < 0 ? row : starts[group] + before;
  });
}
