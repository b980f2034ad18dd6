/** Setting of the figures that the task profiles are set by. */
export const TASK_SETTING = { genLength: 256, blockLength: 32, tau: 0.9 } as const;

export interface PublishedTask {
  readonly task: 'gsm8k' | 'math' | 'humaneval' | 'mbpp';
  /** Denoising steps of LLaDA-Instruct for 256 tokens, blocks of 32, threshold 0.9, no cache. */
  readonly steps: number;
  /** Tokens before the end of text, of a budget that holds them; null where answers fill the budget. */
  readonly textTokens: number | null;
  /** Percent of the answers that are right at one token per step, same model, length and blocks, same source. */
  readonly accuracyPct: number;
  readonly source: string;
}

const DPARALLEL = 'dParallel, LLaDA-8B-Instruct, confidence threshold';

/**
 * Text lengths: 209 to 231 of 256 (GSM8K), 210 to 243 of 256 (MATH), 106 and 64 of 512 (HumanEval, MBPP), from the
 * effective lengths in the D2F and DPad papers.
 */
export const PUBLISHED_TASKS: readonly PublishedTask[] = [
  { task: 'gsm8k', steps: 72, textTokens: 220, accuracyPct: 75.7, source: DPARALLEL },
  { task: 'math', steps: 97, textTokens: 227, accuracyPct: 33.5, source: DPARALLEL },
  { task: 'humaneval', steps: 77, textTokens: 106, accuracyPct: 38.4, source: DPARALLEL },
  { task: 'mbpp', steps: 68, textTokens: 64, accuracyPct: 42.4, source: DPARALLEL },
];

/** A figure that is predicted from the task profiles and never fitted. */
export interface PublishedForwards {
  readonly task: PublishedTask['task'];
  readonly rule: string;
  readonly policy: string;
  readonly changes: Readonly<Record<string, unknown>>;
  readonly forwards: number;
  /** Passes that open a block and are counted as forwards, per block. */
  readonly opens: 0 | 1;
  readonly source: string;
}

const BLOCKBATCH = 'BlockBatch (arXiv:2605.29233) Table 1, LLaDA-Instruct, dual cache';
const LESS = 'LESS paper, confidence only, blocks of 64';
const FASTPP = 'Fast-dLLM++, prefix cache, forwards over questions';

const dual = (task: PublishedTask['task'], forwards: number): PublishedForwards => ({
  task,
  rule: 'dual cache, 0.9',
  policy: 'fast-dllm-dual',
  changes: {},
  forwards,
  opens: 0,
  source: BLOCKBATCH,
});
const less = (task: PublishedTask['task'], forwards: number): PublishedForwards => ({
  task,
  rule: 'threshold 0.75, blocks of 64',
  policy: 'threshold',
  forwards,
  opens: 0,
  changes: { 'commit.tau': 0.75, blockLength: 64 },
  source: LESS,
});
const plus = (
  task: PublishedTask['task'],
  rule: string,
  changes: Readonly<Record<string, unknown>>,
  forwards: number,
): PublishedForwards => ({ task, rule, policy: 'threshold', changes, forwards, opens: 1, source: FASTPP });

export const PUBLISHED_FORWARDS: readonly PublishedForwards[] = [
  dual('gsm8k', 86.4),
  dual('math', 107.8),
  dual('humaneval', 90.4),
  dual('mbpp', 68.2),
  less('gsm8k', 56.9),
  less('math', 94.9),
  less('humaneval', 51.7),
  less('mbpp', 86.2),
  plus('gsm8k', 'factor 0.75', { 'commit.kind': 'factor', 'commit.factor': 0.75 }, 59.9),
  plus('gsm8k', 'Frechet 0.25', { 'commit.kind': 'frechet', 'commit.delta': 0.25 }, 55.3),
  plus('humaneval', 'factor 0.75', { 'commit.kind': 'factor', 'commit.factor': 0.75 }, 64.3),
  plus('humaneval', 'Frechet 0.25', { 'commit.kind': 'frechet', 'commit.delta': 0.25 }, 59.4),
];
