import type { Interval } from '../sim/interval/interval.js';
import type { Held } from '../sim/interval/of-runs.js';

/** `395 to 480`, with as many decimals as the value beside it. */
export function intervalText({ low, high }: Interval, decimals = 1): string {
  return `${low.toFixed(decimals)} to ${high.toFixed(decimals)}`;
}

/** What the intervals above hold, in a sentence. */
export function heldNote({ share, draws, dropped, forms }: Held): string {
  const spreads = forms.map(
    ({ deviation, because }) => `exp(+-${deviation.toFixed(2)}) (${because.join(', ')})`,
  );
  const left = dropped === 0 ? '' : ` ${dropped} of the draws have no room for the model and are left out.`;
  return (
    `Intervals hold ${share * 100} % of ${draws} draws of heat and of every number that has a range, each spread by the form of the\n` +
    `model, assumed: ${spreads.join('; ')}.${left} A number that --set gives has no range.`
  );
}
