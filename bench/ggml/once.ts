/** What is benched measures itself: vitest calls it once. */
export const ONCE = { iterations: 1, warmupIterations: 0, time: 0, warmupTime: 0 };
