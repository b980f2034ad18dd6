import { overrideSpec } from '../../src/decode/overrides.js';
import { policySpecByName } from '../../src/decode/policies.js';
import type { PolicySpec } from '../../src/decode/spec.js';
import type { DecodeFacts, DenoiseFacts } from '../lab/deciders/facts.js';

/** A named policy with some options changed. */
export function variant(policy: string, changes: Readonly<Record<string, unknown>> = {}): PolicySpec {
  return overrideSpec(policySpecByName(policy), changes);
}

/** Results one after the other: decodes share their machines. */
export async function inTurn<T, R>(items: readonly T[], make: (item: T) => Promise<R>): Promise<R[]> {
  const made: R[] = [];
  for (const item of items) made.push(await make(item));
  return made;
}

/** Denoising passes of all decodes. */
export function denoising(decodes: readonly DecodeFacts[]): DenoiseFacts[] {
  return decodes.flatMap(({ denoise }) => denoise);
}

/**
 * Mean step, counted from 1 within its block, at which each position of a block got its first token. Blocks that
 * hold only end-of-text tokens are left out: they are filled at once.
 */
export function firstCommitByPosition(decodes: readonly DecodeFacts[], blockLength: number): number[] {
  const sums = new Array<number>(blockLength).fill(0);
  const counts = new Array<number>(blockLength).fill(0);
  for (const { denoise, textTokens } of decodes) {
    for (const { block, blockStep, commits } of denoise) {
      if (block * blockLength >= textTokens) continue;
      for (const { offset } of commits) {
        const position = offset - block * blockLength;
        if (position < 0 || position >= blockLength) continue;
        sums[position] += blockStep;
        counts[position] += 1;
      }
    }
  }
  return sums.map((sum, position) => sum / counts[position]);
}

/** Share of denoising passes, in percent, that began with at most `masks` positions of the block undecided. */
export function tailShare(decodes: readonly DecodeFacts[], masks: number): number {
  const steps = denoising(decodes);
  return (100 * steps.filter(({ masksBefore }) => masksBefore <= masks).length) / steps.length;
}

/** Generated tokens per denoising pass. */
export function tokensPerStep(decodes: readonly DecodeFacts[], genLength: number): number {
  return (decodes.length * genLength) / denoising(decodes).length;
}

/** Share of first tokens, in percent, whose confidence was below `threshold` when they were committed. */
export function committedBelow(decodes: readonly DecodeFacts[], threshold: number): number {
  const commits = denoising(decodes).flatMap((step) => step.commits);
  return (100 * commits.filter(({ confidence }) => confidence < threshold).length) / commits.length;
}

/** Share of the rows of denoising passes, in percent, whose token was final already. */
export function skippableShare(decodes: readonly DecodeFacts[]): number {
  const steps = denoising(decodes);
  const rows = steps.reduce((sum, step) => sum + step.rows, 0);
  return (100 * steps.reduce((sum, step) => sum + step.stableRows, 0)) / rows;
}

/** Share of generated positions, in percent, that were still visible when their block was complete. */
export function visibleShare(decodes: readonly DecodeFacts[], genLength: number): number {
  const visible = decodes.flatMap((facts) => facts.visibleAtBlockEnd).reduce((a, b) => a + b, 0);
  return (100 * visible) / (decodes.length * genLength);
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/** Mean seconds of timed decodes. */
export function meanSeconds(decodes: readonly DecodeFacts[]): number {
  return meanOf(decodes.map(({ seconds }) => seconds ?? Number.NaN));
}

/** Mean forwards on the critical path. */
export function meanForwards(decodes: readonly DecodeFacts[]): number {
  return meanOf(decodes.map(({ forwards }) => forwards));
}

/** Mean drafts accepted. */
export function meanDraftsAccepted(decodes: readonly DecodeFacts[]): number {
  return meanOf(decodes.map(({ draftsAccepted }) => draftsAccepted));
}

/** Mean refresh passes beside the critical path. */
export function meanRefreshes(decodes: readonly DecodeFacts[]): number {
  return meanOf(decodes.map(({ refreshes }) => refreshes));
}

/** Mean rows of a denoising pass. */
export function meanRows(decodes: readonly DecodeFacts[]): number {
  return meanOf(denoising(decodes).map(({ rows }) => rows));
}

/** Simulated seconds of every case, NaN without a clock. */
export function secondsOf(decodes: readonly DecodeFacts[]): number[] {
  return decodes.map(({ seconds }) => seconds ?? Number.NaN);
}
