import type { BySource, RowKind } from './compare.js';

/** Decided by a process fitted elsewhere: the value must come out. By another model: only an order can. */
export const DECIDED: BySource<RowKind> = { synthetic: 'predicted', other: 'ordering' };
/** The confidence process was fitted to this very figure. */
export const FITTED: BySource<RowKind> = { synthetic: 'calibrated', other: 'ordering' };

/** The LLaDA-8B-like confidence process that was fitted to Figures 5b and 8. */
export const PAPER_WORKLOAD = 'synthetic';

/** Why a statistic of decoding may differ from the paper's. `{model}` is the workload. */
export const OTHER_MODEL: BySource<string> = {
  synthetic: 'a process of nine numbers, fitted to Figures 5b and 8 only, does not carry over to this figure',
  other: "the confidence is {model}'s on its own tasks, not LLaDA-8B's on GSM8K, and nothing was fitted",
};

/** The same with a reason that holds for every source. */
export function alsoBecause(reason: string): BySource<string> {
  return { synthetic: `${OTHER_MODEL.synthetic}. ${reason}`, other: `${OTHER_MODEL.other}. ${reason}` };
}

/** Who decided, and what that makes of a comparison. */
export const WHO_DECIDED: BySource<string> = {
  synthetic:
    'Decisions are those of a confidence process fitted to Figures 5b and 8: everything else is predicted. No model ran.',
  other: "Decisions are {model}'s on its own problems: an order is compared, values are not predicted.",
};

export const FITTED_NOTE: BySource<string> = {
  synthetic: 'The confidence process was fitted to this figure: a match proves nothing.',
  other: WHO_DECIDED.other,
};
