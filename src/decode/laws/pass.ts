import { groupStarts, groupsOf } from '../../pass/groups.js';
import type { Pass, PassRow } from '../../pass/pass.js';
import { isMasked, type TrackedCanvas } from './tracked.js';

/** What a pass reads, what its rows are fed, what it refreshes: all of it as the canvas was before the step. */
export function checkPass(canvas: TrackedCanvas, pass: Pass): void {
  const { maskId } = canvas.start;
  for (const { position, version } of pass.reads) {
    const { kv, state } = canvas.at(position);
    if (kv?.version !== version) {
      const has = kv?.version ?? 'none';
      canvas.fault(
        'snapshot-read',
        position,
        `pass ${pass.id} reads version ${version}, the snapshot has ${has}`,
      );
    }
    if (isMasked(state) && !canvas.givenUp.has('B2-masked-kv'))
      canvas.fault('masked-read', position, `pass ${pass.id} reads KV of a ${state} position`);
  }
  const rows = pass.rows.slice(0, groupsOf(pass)[0].rows);
  checkAttention(canvas, pass);
  const own = new Set(rows.map((row) => row.position));
  for (const { position } of pass.reads) {
    if (own.has(position))
      canvas.fault('own-read', position, `pass ${pass.id} reads a position it computes itself`);
  }
  for (const row of rows) checkFeed(canvas, pass, row);
  if (pass.guidance !== undefined) checkGuidance(canvas, pass, rows);
  else if (pass.rows.slice(rows.length).some(({ feed }) => feed !== maskId))
    canvas.fault('shadow-fed', null, `a shadow row of pass ${pass.id} is fed a token`);
  if (pass.kind !== 'refresh') return;
  for (const row of pass.logits) {
    const { position } = pass.rows[row];
    const { state, kv } = canvas.at(position);
    const dependent = pass.lane === 'side' && state === 'S' && canvas.givenUp.has('D1-kv');
    if ((state !== 'V' && !dependent) || kv === null)
      canvas.fault('refresh-target', position, `refresh of a ${state} position outside the prefix`);
  }
}

/**
 * No row sees beyond its block, or beyond itself, where the model was trained so. A shadow or a causal row sees less than its
 * group: what is asked is the most that it may see.
 */
function checkAttention(canvas: TrackedCanvas, pass: Pass): void {
  const { trained } = canvas;
  if (trained.attention === 'bidirectional') return;
  const length = trained.attention === 'causal' ? 1 : (trained.blockLength ?? 1);
  const groups = groupsOf(pass);
  const starts = groupStarts(groups);
  const rowsOf = (group: number) => pass.rows.slice(starts[group], starts[group] + groups[group].rows);
  groups.forEach(({ visibility, sees }, index) => {
    const context = [...pass.reads, ...sees.flatMap(rowsOf)].map(({ position }) => position);
    const own = rowsOf(index).map(({ position }) => position);
    const seen = visibility === 'all' || visibility === 'shadow' ? [...context, ...own] : context;
    const last = seen.reduce((a, b) => Math.max(a, b), -1);
    // One set of weights for both: blocks begin where the causal text ends.
    const origin = trained.alsoCausal === true ? own[0] : 0;
    const endOf = (position: number) => (Math.floor((position - origin) / length) + 1) * length + origin;
    const blind = own.find((position) => last >= endOf(position));
    const ahead = visibility === 'ordered' ? tokenAhead(rowsOf(index), canvas.start.maskId) : undefined;
    if (blind !== undefined || ahead !== undefined)
      canvas.fault(
        'beyond-attention',
        blind ?? ahead ?? null,
        `a row of pass ${pass.id} sees position ${ahead ?? last}, beyond what the model was trained to see`,
      );
  });
}

/** What a row of an ordered pass sees and should not: right of it, or a mask before a token. */
function tokenAhead(rows: readonly PassRow[], maskId: number): number | undefined {
  const isMask = ({ feed }: PassRow): boolean => feed === maskId;
  return rows
    .flatMap((row, index) =>
      rows
        .slice(0, index)
        .filter((earlier) =>
          isMask(earlier) === isMask(row) ? earlier.position > row.position : isMask(earlier),
        ),
    )
    .at(0)?.position;
}

function checkFeed(canvas: TrackedCanvas, pass: Pass, { position, feed }: PassRow): void {
  const { state, token, draft } = canvas.at(position);
  const masked = feed === canvas.start.maskId;
  const fault = (clause: 'stable-fed' | 'visible-fed' | 'undecided-fed'): void =>
    canvas.fault(clause, position, `a ${state} row of pass ${pass.id} is fed token ${feed}`);
  if (state === 'S') {
    if (feed !== token) fault('stable-fed');
  } else if (state === 'V') {
    const unseen = canvas.givenUp.has('V-context') || (pass.kind === 'refresh' && pass.lane === 'side');
    if (feed !== token && !(masked && unseen)) fault('visible-fed');
  } else if (!masked && feed !== draft?.token) fault('undecided-fed');
}

/** The second group of a guided pass is the first with the prompt masked. */
function checkGuidance(canvas: TrackedCanvas, pass: Pass, rows: readonly PassRow[]): void {
  const { promptLength, maskId } = canvas.start;
  const copy = pass.rows.slice(rows.length);
  const same = rows.every(({ position, feed }, index) => {
    const wanted = position < promptLength ? maskId : feed;
    return copy[index]?.position === position && copy[index]?.feed === wanted;
  });
  if (!same || copy.length !== rows.length)
    canvas.fault(
      'guidance-copy',
      null,
      `the rows that guide pass ${pass.id} are not its own with the prompt masked`,
    );
}
