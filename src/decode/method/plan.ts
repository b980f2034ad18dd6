import { inBlocks, mergePasses } from '../../pass/groups.js';
import type { KvRef, Pass, PassRow, StepPlan } from '../../pass/pass.js';
import { blockOf, blockRange, isLastBlockDone, isUndecided, positionsOf } from '../canvas/geometry.js';
import type { Canvas } from '../canvas/types.js';
import type { Rules } from '../rules/rule.js';
import { withGuidance } from './guidance.js';

type MainWork = Pick<Pass, 'kind' | 'rows' | 'logits'>;

/** Durable entries outside `rows`, ascending: the snapshot every pass of the step reads (law D3). */
function readsWithout(
  canvas: Canvas,
  rows: readonly PassRow[],
  readable: Rules['refresh']['readable'] = () => true,
): KvRef[] {
  const own = new Set(rows.map((row) => row.position));
  const reads: KvRef[] = [];
  canvas.positions.forEach((position, index) => {
    if (position.kv !== null && !own.has(index) && readable(position)) {
      reads.push({ position: index, version: position.kv.version });
    }
  });
  return reads;
}

/** Counter of random numbers: falls with every token that is given. */
function masksLeft(canvas: Canvas): number {
  return canvas.positions.filter(({ state }) => state === 'M' || state === 'IV').length;
}

function finalTokens(canvas: Canvas, positions: readonly number[]): PassRow[] {
  return positions.map((position) => ({ position, feed: canvas.positions[position].token }));
}

/** Rows of final tokens that fill the cache; the last may have to say the first token of the open block. */
function fillRows(rules: Rules, canvas: Canvas, positions: readonly number[]): Pick<Pass, 'rows' | 'logits'> {
  const rows = finalTokens(canvas, positions);
  const { start } = blockRange(canvas, canvas.block);
  const asks = rules.cache.opensPredicted && start < canvas.positions.length && isUndecided(canvas, start);
  if (!asks || positions[positions.length - 1] !== start - 1) return { rows, logits: [] };
  const last = { ...rows[rows.length - 1], draw: rules.draws ? masksLeft(canvas) : undefined };
  return { rows: [...rows.slice(0, -1), last], logits: [rows.length - 1] };
}

function feedOf(rules: Rules, canvas: Canvas, index: number): number {
  const position = canvas.positions[index];
  const unseen = rules.revise.feedsMask && position.state === 'V' && blockOf(canvas, index) === canvas.block;
  if (unseen) return canvas.maskId;
  if (position.state === 'V' || position.state === 'S') return position.token;
  return rules.speculate.feed(position) === 'draft' && position.draft !== null
    ? position.draft.token
    : canvas.maskId;
}

/** The work of the critical path, or null when nothing is left to do. */
function mainWork(rules: Rules, canvas: Canvas): MainWork | null {
  if (rules.cache.prefill && canvas.blockOrigin > 0 && canvas.positions[0].kv === null) {
    const prompt = positionsOf({ start: 0, end: canvas.blockOrigin });
    return { kind: 'prefill', ...fillRows(rules, canvas, prompt) };
  }
  const sweep = rules.final.sweepRows(canvas);
  if (!isLastBlockDone(canvas) || sweep.length > 0) {
    const seal = rules.cache.sealRows(canvas);
    if (seal.length > 0) return { kind: 'seal', ...fillRows(rules, canvas, seal) };
  }
  if (!isLastBlockDone(canvas)) {
    const positions = [...positionsOf(canvas.window), ...rules.window.lookahead(canvas)].filter(
      (position) => !rules.cache.reuses(canvas, position),
    );
    const draw = masksLeft(canvas);
    const rows = positions.map((position) => {
      const feed = feedOf(rules, canvas, position);
      const draws = rules.draws && canvas.positions[position].state !== 'S';
      const excludes = rules.commit.excludes?.(canvas, position);
      return { position, feed, draw: draws ? draw : undefined, excludes };
    });
    const logits = positions.flatMap((position, row) =>
      rules.logits.wants(canvas.positions[position]) ? [row] : [],
    );
    return { kind: 'denoise', rows, logits };
  }
  if (sweep.length > 0) {
    return { kind: 'refresh', rows: finalTokens(canvas, sweep), logits: sweep.map((_, row) => row) };
  }
  return null;
}

/** Whether decoding is over. */
export function isFinished(rules: Rules, canvas: Canvas): boolean {
  return mainWork(rules, canvas) === null;
}

/**
 * The shadow rows of a denoising pass: the block once more, masked, seeing every row of the pass but its own
 * counterpart. Nobody sees them.
 */
function withShadows(rules: Rules, canvas: Canvas, main: Pass): Pass {
  const shadows = rules.revoke.shadows(canvas);
  if (shadows.length === 0) return main;
  const rows = shadows.map((position): PassRow => {
    const { state, token } = canvas.positions[position];
    return { position, feed: canvas.maskId, asks: state === 'V' ? token : undefined };
  });
  const shadow: Pass = {
    ...main,
    id: `${main.id}/1`,
    version: main.version + 1,
    rows,
    reads: [...main.reads, ...main.rows.map(({ position }) => ({ position, version: main.version }))],
    visibility: 'shadow',
    logits: rows.flatMap(({ asks }, row) => (asks === undefined ? [] : [row])),
  };
  const merged = mergePasses([main, shadow]);
  if (merged === null) throw new Error('shadow rows see all rows of their pass');
  return merged;
}

function groupedMain(rules: Rules, canvas: Canvas, main: Pass): Pass {
  if (main.kind === 'denoise' && rules.guidance > 0) return withGuidance(canvas, main, rules.guidance);
  if (main.kind === 'denoise') return withShadows(rules, canvas, main);
  // Of the prompt, or of several blocks that were finished at once because they were given.
  const fills = main.kind === 'prefill' || main.kind === 'seal';
  const isSplit = fills && rules.cache.causalPrefill && main.rows.length > canvas.blockLength;
  return isSplit ? inBlocks(main, canvas.blockLength) : main;
}

/** The next step: one main pass and the refresh passes that run beside it, all reading the same snapshot. */
export function planStep(rules: Rules, canvas: Canvas): StepPlan | null {
  const main = mainWork(rules, canvas);
  if (main === null) return null;
  const passes: Pass[] = [
    groupedMain(rules, canvas, {
      id: `${canvas.step}.0`,
      ...main,
      lane: 'main',
      version: canvas.nextVersion,
      reads: readsWithout(canvas, main.rows),
      visibility: 'all',
    }),
  ];
  const busy = new Set(main.rows.map((row) => row.position));
  const context = main.kind === 'denoise' && rules.refresh.withWindow ? main.rows : [];
  // After the last block the sweep itself is the refresh.
  const groups = isLastBlockDone(canvas) ? [] : rules.refresh.launch(canvas, busy);
  for (const group of groups) {
    const targets = group.map((position) => ({
      position,
      feed: rules.refresh.feed(canvas.positions[position], canvas.maskId),
    }));
    const rows = [...targets, ...context];
    passes.push({
      id: `${canvas.step}.${passes.length}`,
      kind: 'refresh',
      lane: 'side',
      version: canvas.nextVersion + passes.length,
      rows,
      reads: readsWithout(canvas, rows, rules.refresh.readable),
      visibility: 'all',
      logits: targets.map((_, row) => row),
    });
  }
  const joins = rules.refresh.joins && passes.length > 1;
  return { step: canvas.step, block: canvas.block, passes, joins: joins || undefined };
}
