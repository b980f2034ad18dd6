/**
 * Rows of one pass: graphs and timelines grow with them, and 100,000 end the process for want of memory. What is longer
 * is a prompt, which `simulate prefill` splits into passes.
 */
export const MAX_ROWS = 8192;

/** Positions of a context: the longest of a published model. */
export const MAX_POSITIONS = 1_048_576;

/**
 * Problems that are decoded one by one: 30 policies on 10,000 are 300,000 runs, half a gigabyte of plans before the first
 * one starts. An interval of exact answers is then +-1 % at most: more tell nothing new.
 */
export const MAX_PROBLEMS = 10_000;

/** Evaluations and optimizer steps: days of work, and still an array that fits. */
export const MAX_STEPS = 1_000_000;
