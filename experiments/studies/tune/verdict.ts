import { FULL_SYSTEM } from '../ladder/ladder.js';
import { type Judged, MIN_PROBLEMS } from './judge.js';

/**
 * What the search says of the paper's full system: beaten only by a policy that is faster, at least as often right, and
 * whose interval excludes the loss.
 */
export function verdictOf(
  confirmed: readonly Judged[],
  { confirm, baseline }: { readonly confirm: number; readonly baseline: string },
): string {
  const full = confirmed.find(({ policy }) => policy === FULL_SYSTEM);
  if (full === undefined) return 'the full system was not among the confirmed policies';
  const better = confirmed
    .filter(
      (row) =>
        row !== full && row.nonInferior && row.seconds < full.seconds && row.exact.share >= full.exact.share,
    )
    .sort((a, b) => a.seconds - b.seconds);
  const own = full.nonInferior ? 'is' : 'is not shown to be';
  const state = `The paper's full system takes ${full.seconds.toFixed(2)} s, answers ${(100 * full.exact.share).toFixed(1)} % exactly and ${own} non-inferior to ${baseline}.`;
  const [best] = better;
  if (best === undefined)
    return `${state} No confirmed policy is faster, at least as often right and non-inferior.`;
  const hedge = confirm < MIN_PROBLEMS ? ' (too few problems for the claim)' : '';
  return `${state} Beaten by ${best.policy}: ${best.seconds.toFixed(2)} s, ${(100 * best.exact.share).toFixed(1)} % exact, ${best.joules.toFixed(0)} J against ${full.joules.toFixed(0)} J, non-inferior${hedge}.`;
}
