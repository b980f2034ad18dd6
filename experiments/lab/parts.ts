import type { PlannedRun } from './plan.js';

/**
 * Runs in parts: those that share work are together, in the order of their first mention.
 * @param most runs of a part
 */
export function partsOf<Run extends Pick<PlannedRun, 'sharing'>>(
  runs: readonly Run[],
  most: number,
): Run[][] {
  const parts: Run[][] = [];
  const open = new Map<string | null, Run[]>();
  for (const run of runs) {
    const part = run.sharing === null ? undefined : open.get(run.sharing);
    if (part !== undefined && part.length < most) {
      part.push(run);
      continue;
    }
    const fresh = [run];
    parts.push(fresh);
    open.set(run.sharing, fresh);
  }
  return parts;
}
