import { CheckError } from '../../src/errors.js';
import type { ResultStore } from './store.js';

export interface MergeOutcome {
  readonly added: number;
  /** Runs that both stores had, with the same bytes. */
  readonly equal: number;
}

/**
 * Copies the runs of other stores into one, by content hash.
 * @throws CheckError when two stores hold different results for one address: the run is not deterministic, or a
 *   machine computes wrongly. Nothing is overwritten.
 */
export function mergeStores(into: ResultStore, from: readonly ResultStore[]): MergeOutcome {
  let added = 0;
  let equal = 0;
  for (const store of from) {
    const lines = [...store.index()].sort((a, b) => (a.hash < b.hash ? -1 : 1));
    for (const { hash, finishedAt, seconds, node, host, gitCommit } of lines) {
      const record = store.read(hash);
      if (into.has(hash)) {
        if (into.bytes(hash) !== store.bytes(hash)) {
          throw new CheckError(
            `run ${hash} has two results: ${into.directory} and ${store.directory} differ (see \`results diff\`)`,
          );
        }
        equal += 1;
        continue;
      }
      into.add(record, { finishedAt, seconds, node, host, gitCommit });
      added += 1;
    }
  }
  return { added, equal };
}
