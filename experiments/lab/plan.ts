import { UsageError } from '../../src/errors.js';
import { canonicalJson } from './canonical.js';
import { codeVersion } from './code-version.js';
import { expandSweep, type RawConfig } from './expand.js';
import { kindByName } from './kinds/registry.js';
import { type RunIdentity, runHash } from './record.js';
import { withTodaysNames } from './setup.js';
import type { SweepFile } from './sweep-file.js';

/** A run as somebody wants it: what is left out has its default. */
export interface WantedRun {
  readonly kind: string;
  readonly config: RawConfig;
}

/** A run that can be started anywhere and found again by its hash. */
export interface PlannedRun extends RunIdentity {
  readonly hash: string;
  /** Runs of one text share work; null: this one shares none. */
  readonly sharing: string | null;
}

/**
 * Resolves runs: defaults filled in, files hashed, addresses computed; in the order given, equal ones as often as
 * they are wanted.
 * @throws UsageError naming the run and the option that is wrong
 */
export async function planEach(wanted: readonly WantedRun[]): Promise<PlannedRun[]> {
  const code = codeVersion();
  const planned = new Map<string, PlannedRun>();
  const runs: PlannedRun[] = [];
  for (const [at, { kind: name, config: raw }] of wanted.entries()) {
    const kind = await kindByName(name);
    const parsed = kind.config.safeParse(withTodaysNames(raw));
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw new UsageError(`run ${at + 1}: ${issue.path.join('.') || name}: ${issue.message}`);
    }
    const text = `${name} ${canonicalJson(parsed.data)}`;
    let run = planned.get(text);
    if (run === undefined) {
      const inputs = { ...(await kind.inputs(parsed.data)) };
      const config = JSON.parse(text.slice(name.length + 1)) as RunIdentity['config'];
      const identity = { kind: name, config, inputs, code };
      run = { hash: runHash(identity), ...identity, sharing: kind.sharing?.(parsed.data) ?? null };
      planned.set(text, run);
    }
    runs.push(run);
  }
  return runs;
}

/** Runs of one kind. Equal runs become one; the order is that of their first mention. */
export async function planRuns(kind: string, configs: readonly RawConfig[]): Promise<PlannedRun[]> {
  return [...new Set(await planEach(configs.map((config) => ({ kind, config }))))];
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
