import { UsageError } from '../../src/errors.js';
import { canonicalJson } from './canonical.js';
import { codeVersion } from './code-version.js';
import { expandSweep, type RawConfig } from './expand.js';
import { kindByName } from './kinds/registry.js';
import { type RunIdentity, runHash } from './record.js';
import { withTodaysNames } from './setup.js';
import type { SweepFile } from './sweep-file.js';

/** A run that can be started anywhere and found again by its hash. */
export interface PlannedRun extends RunIdentity {
  readonly hash: string;
}

/**
 * Resolves runs of one kind: defaults filled in, files hashed, addresses computed. Equal runs become one; the order
 * is that of their first mention.
 * @throws UsageError naming the run and the option that is wrong
 */
export async function planRuns(kindName: string, configs: readonly RawConfig[]): Promise<PlannedRun[]> {
  const kind = await kindByName(kindName);
  const code = codeVersion();
  const inputsOf = new Map<string, Promise<Readonly<Record<string, string>>>>();
  const planned = new Map<string, PlannedRun>();
  for (const [at, raw] of configs.entries()) {
    const parsed = kind.config.safeParse(withTodaysNames(raw));
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw new UsageError(`run ${at + 1}: ${issue?.path.join('.') || kindName}: ${issue?.message}`);
    }
    const text = canonicalJson(parsed.data);
    let inputs = inputsOf.get(text);
    if (inputs === undefined) {
      inputs = kind.inputs(parsed.data);
      inputsOf.set(text, inputs);
    }
    const config = JSON.parse(text) as RunIdentity['config'];
    const identity = { kind: kindName, config, inputs: { ...(await inputs) }, code };
    const hash = runHash(identity);
    planned.set(hash, planned.get(hash) ?? { hash, ...identity });
  }
  return [...planned.values()];
}

/** The runs of a sweep file. */
export function planSweep(sweep: SweepFile): Promise<PlannedRun[]> {
  return planRuns(sweep.kind, expandSweep(sweep));
}

/**
 * Every n-th run from the i-th on: the shards of a sweep are disjoint, and together they are all of it.
 * @param shard from 1 to `shards`
 */
export function shardOf<T>(runs: readonly T[], shard: number, shards: number): T[] {
  if (shard < 1 || shard > shards) throw new UsageError(`shard ${shard} of ${shards} does not exist`);
  return runs.filter((_, at) => at % shards === shard - 1);
}
