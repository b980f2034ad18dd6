/**
 * Rows of one pass: graphs and timelines grow with them, and 100,000 end the process for want of memory. What is longer
 * is a prompt, which `simulate prefill` splits into passes.
 */
export const MAX_ROWS = 8192;

/** Positions of a context: the longest of a published model. */
export const MAX_POSITIONS = 1_048_576;

/** Problems, cases, steps: days of work, and still an array that fits. */
export const MAX_CASES = 1_000_000;
