import type { Workload } from './workload.js';

/** Accepted forms, for help texts. */
export const WORKLOAD_FORMS =
  'a model (tiny-llada), trace:FILE_OR_DIRECTORY, synthetic, or synthetic:PROFILE';

/**
 * @param name see `WORKLOAD_FORMS`
 * @param seed of the problems or of the process
 * @throws UsageError for an unknown name
 */
export async function openWorkload(name: string, seed: number): Promise<Workload> {
  const colon = name.indexOf(':');
  const [kind, rest] = colon < 0 ? [name, ''] : [name.slice(0, colon), name.slice(colon + 1)];
  if (kind === 'trace') {
    const { openTraceWorkload } = await import('./trace-workload.js');
    return openTraceWorkload(rest);
  }
  if (kind === 'synthetic') {
    const { openSyntheticWorkload } = await import('./synthetic/workload.js');
    const { PAPER_PROFILE } = await import('./synthetic/profiles.js');
    return openSyntheticWorkload(rest === '' ? PAPER_PROFILE : rest, seed);
  }
  const { openModelWorkload } = await import('./model-workload.js');
  return openModelWorkload(name, seed);
}
