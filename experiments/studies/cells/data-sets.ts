/** A data set of arXiv:2606.13740, as far as a clock can tell: how long its prompts are. */
export interface DataSet {
  readonly name: string;
  /** Tokens of a prompt with its chat template, LLaDA's vocabulary. */
  readonly promptTokens: number;
  readonly range: readonly [number, number];
  readonly basis: string;
}

/**
 * The paper gives no prompt lengths (open parameter 23). All but GSM8K's are assumed from what the data sets hold, and the
 * paper's five cases of each may be any five: the ranges are wide.
 */
export const DATA_SETS: readonly DataSet[] = [
  {
    name: 'GSM8K',
    promptTokens: 80,
    range: [50, 110],
    basis: "derived: explains the paper's own step times and totals on SM8750 within 6 %",
  },
  {
    name: 'BoolQ',
    promptTokens: 160,
    range: [50, 240],
    basis: 'assumed: a passage of about a hundred words and a question',
  },
  {
    name: 'ARC-C',
    promptTokens: 80,
    range: [50, 140],
    basis: 'assumed: a question of about twenty words and four short options',
  },
  {
    name: 'HellaSwag',
    promptTokens: 120,
    range: [50, 260],
    basis: 'assumed: a context of one to three sentences, with or without its four endings',
  },
];
