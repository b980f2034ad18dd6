import { canonicalJson } from '../canonical.js';
import type { Decider } from '../deciders/decider.js';
import { openDecider } from '../open.js';
import type { DeciderSetup } from '../setup.js';

/** Workloads kept open between the runs of a thread. */
export class OpenDeciders {
  private readonly opened = new Map<string, Promise<Decider>>();

  open({ workload, engine, backend, threads, compute }: DeciderSetup, seed: number): Promise<Decider> {
    const decider = { workload, engine, backend, threads, compute };
    const key = `${seed} ${canonicalJson(decider)}`;
    let found = this.opened.get(key);
    if (found === undefined) {
      found = openDecider(decider, seed);
      this.opened.set(key, found);
    }
    return found;
  }

  async close(): Promise<void> {
    for (const workload of this.opened.values()) (await workload).close();
    this.opened.clear();
  }
}
