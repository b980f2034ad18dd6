import type { DecidingEngine } from '../open-engine.js';
import { openWorkload } from '../workload/open-workload.js';
import type { Workload } from '../workload/workload.js';

/** Workloads kept open between the runs of a thread. */
export class OpenWorkloads {
  private readonly opened = new Map<string, Promise<Workload>>();

  open(name: string, seed: number, engine: DecidingEngine): Promise<Workload> {
    const key = `${engine} ${seed} ${name}`;
    let found = this.opened.get(key);
    if (found === undefined) {
      found = openWorkload(name, seed, engine);
      this.opened.set(key, found);
    }
    return found;
  }

  async close(): Promise<void> {
    for (const workload of this.opened.values()) (await workload).close();
    this.opened.clear();
  }
}
