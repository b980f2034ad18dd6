import type { PolicySpec } from './spec.js';

/** Options of a spec that exclude each other, each with the rule it breaks. Empty for a sound spec. */
export function contradictions(spec: PolicySpec): string[] {
  const { window: w, cache: c, commit: m } = spec;
  const found: string[] = [];
  const staged = m.kind === 'staged';
  const cached = c.kind === 'prefix';
  const look = w.kind === 'block' || w.kind === 'sliding' ? w.lookahead : undefined;
  if (
    spec.guidance > 0 &&
    (w.kind !== 'canvas' ||
      c.kind !== 'none' ||
      spec.revoke.kind !== 'none' ||
      spec.speculate.kind === 'exact')
  ) {
    found.push(
      'guidance masks the prompt, which a cache holds unmasked: window canvas, cache none, no revoke, no exact speculation',
    );
  }
  if (spec.endOfText.confidence === 'upstream' && spec.endOfText.turnId === null) {
    found.push('endOfText.confidence upstream tells two tokens apart, so endOfText.turnId must be given');
  }
  if (m.kind === 'quota' && m.transfer === 'each' && w.kind !== 'canvas') {
    found.push('commit.transfer each leaves the schedule to chance, so window must be canvas');
  }
  if (spec.revise.feed === 'mask' && !staged) {
    found.push('revise.feed mask is about visible positions, so commit must be staged');
  }
  if (staged && m.stable < m.visible) {
    found.push(
      `commit.stable (${m.stable}) is below commit.visible (${m.visible}); stable is the stronger test`,
    );
  }
  if (m.kind === 'timestep' && m.steps !== null && m.steps > spec.blockLength) {
    found.push(
      `commit.steps (${m.steps}) exceeds blockLength (${spec.blockLength}), the most a block may take`,
    );
  }
  if (m.kind === 'quota' && m.stepsPerBlock !== null && m.stepsPerBlock > spec.blockLength) {
    found.push(
      `commit.stepsPerBlock (${m.stepsPerBlock}) exceeds blockLength (${spec.blockLength}); every step must commit`,
    );
  }
  if (w.kind === 'canvas' && c.kind !== 'none' && c.kind !== 'decided') {
    found.push('window canvas recomputes every row, so cache must be none or decided');
  }
  if ((w.kind === 'block' || w.kind === 'sliding') && !cached) {
    found.push(`window ${w.kind} leaves rows out, so cache must be prefix`);
  }
  if (
    w.kind === 'next' &&
    (spec.blockLength !== 1 || !cached || c.seal !== 'delayed' || m.kind !== 'quota' || isExtended(spec))
  ) {
    found.push(
      'window next decodes left to right: blockLength 1, cache prefix with seal delayed, commit quota, nothing speculated, refreshed or swept',
    );
  }
  if (w.kind === 'per-block' && c.kind !== 'per-block') {
    found.push('window per-block leaves rows out after its full pass, so cache must be per-block');
  }
  if (c.kind === 'per-block' && w.kind !== 'per-block') {
    found.push('cache per-block is filled by the full pass of window per-block');
  }
  if (c.kind === 'decided' && (w.kind !== 'canvas' || w.extent !== 'full' || staged)) {
    found.push(
      'cache decided reuses rows of the full canvas whose tokens are final: window canvas full, commit not staged',
    );
  }
  if ((m.kind === 'revocable') !== (spec.revoke.kind === 'shadow')) {
    found.push(
      'commit revocable and revoke shadow belong together: one commits what the other may take back',
    );
  }
  if (
    spec.revoke.kind === 'shadow' &&
    (w.kind !== 'canvas' || c.kind !== 'none' || spec.speculate.kind !== 'none')
  ) {
    found.push('revoke shadow re-predicts on the whole canvas: window canvas, cache none, speculate none');
  }
  if (spec.blockOrigin === 'zero' && (w.kind !== 'block' || w.extent !== 'block')) {
    found.push('blockOrigin zero is for block-causal decoding, so window must be block without suffix');
  }
  if (spec.speculate.kind === 'exact' && (staged || look !== undefined)) {
    found.push(
      'speculate exact drafts states of a plain commit rule: commit not staged, no window.lookahead',
    );
  }
  if (w.kind === 'sliding' && cached && c.seal === 'pass') {
    found.push('window sliding drops rows inside a block, so cache.seal must be delayed or as-is');
  }
  if (w.kind === 'block' && cached && c.seal === 'delayed') {
    found.push('cache.seal delayed needs window sliding; window block seals by pass or as-is');
  }
  if (w.kind === 'sliding' && w.size !== null && w.size < spec.blockLength) {
    found.push(
      `window.size (${w.size}) is below blockLength (${spec.blockLength}); a window holds at least one block`,
    );
  }
  if (w.kind === 'sliding' && w.past === 'stable' && !staged) {
    found.push('window.past stable needs commit staged; other commits have no V');
  }
  if (spec.speculate.kind === 'drafts' && w.kind === 'block' && w.extent === 'block' && look === undefined) {
    found.push(
      'speculate drafts needs rows beyond the current block: window sliding, canvas, extent suffix or lookahead',
    );
  }
  if (look !== undefined && spec.speculate.kind !== 'drafts') {
    found.push('window.lookahead computes future rows for drafts, so speculate must be drafts');
  }
  if (look !== undefined && w.kind === 'block' && w.extent === 'suffix') {
    found.push('window.lookahead has nothing to add to extent suffix');
  }
  if (spec.refresh.kind === 'cpu') {
    if (!staged) found.push('refresh works on visible positions, so commit must be staged');
    if (!cached) found.push('refresh rewrites prefix KV, so cache must be prefix');
    if (spec.refresh.feed === 'mask' && spec.refresh.order === 'oldest') {
      found.push(
        'refresh.feed mask leaves KV as it is, so order oldest would pick the same position forever',
      );
    }
    if (spec.refresh.late === 'block' && spec.refresh.maxAgeSteps !== null) {
      found.push('refresh.late block leaves nothing late, so refresh.maxAgeSteps must be null');
    }
    if (spec.refresh.perStep > spec.refresh.maxInFlight) {
      found.push(
        `refresh.perStep (${spec.refresh.perStep}) exceeds refresh.maxInFlight (${spec.refresh.maxInFlight})`,
      );
    }
  }
  if (spec.final.kind === 'sweep' && (!staged || !cached)) {
    found.push('final sweep refreshes visible prefix positions, so commit must be staged and cache prefix');
  }
  return found;
}

/** Whether a spec has rules beyond committing one token after the other. */
function isExtended({ speculate, refresh, final, blockOrigin }: PolicySpec): boolean {
  return (
    speculate.kind !== 'none' ||
    refresh.kind !== 'none' ||
    final.kind !== 'accept' ||
    blockOrigin !== 'prompt'
  );
}
