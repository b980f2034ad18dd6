import { loadProfile, overrideProfile, profileHash } from '../../sim/hardware/load-profile.js';
import { fittedOrAssumed, provenanceEntries } from '../../sim/hardware/provenance.js';
import type { HardwareProfile } from '../../sim/hardware/schema.js';
import type { Machine } from '../../sim/machine/machine.js';
import type { MemoryMode } from '../../sim/memory/runtime.js';
import { machine as openMachine } from '../../sim/open-machine.js';
import { stackByName } from '../../sim/stacks/registry.js';
import { overrideStack } from '../../sim/stacks/stack.js';
import type { ModelConfig } from '../../src/model/config.js';
import { resolvePreset } from '../../src/model/presets.js';
import type { Decider } from '../lab/deciders/decider.js';
import { openDecider } from '../lab/open.js';
import type { ProvenanceEntry } from '../studies/ladder/types.js';
import { Decodes } from './decodes.js';
import type { BenchOptions } from './defaults.js';

/** A machine to time on. */
export interface MachineChoice {
  readonly stack: 'cpu' | 'llada.cpp';
  readonly memory: MemoryMode;
  /** Numbers of the hardware profile at other values than its own, e.g. for a sweep. */
  readonly hardware?: Readonly<Record<string, string>>;
  /** The same of the software stack. */
  readonly software?: Readonly<Record<string, string>>;
}

export interface BenchHooks {
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** What experiments measure with: machines of one chip, and decodes of workloads, made once and shared. */
export class Bench {
  readonly hardware: HardwareProfile;
  readonly costModel: ModelConfig;
  private readonly made = new Map<string, Promise<Decodes>>();
  private readonly opened: Decider[] = [];

  /** @throws UsageError for an unknown profile or cost model */
  constructor(
    readonly options: BenchOptions,
    readonly hooks: BenchHooks = {},
  ) {
    this.hardware = loadProfile(options.profile);
    this.costModel = resolvePreset(options.costModel);
  }

  get profileSha256(): string {
    return profileHash(this.options.profile);
  }

  /**
   * A machine at time 0 with nothing mapped.
   * @param layers fewer than the model has: for the time of one operator, which does not depend on the others
   */
  machine(
    stack: 'cpu' | 'llada.cpp',
    memory: MemoryMode,
    options: Pick<MachineChoice, 'hardware' | 'software'> & {
      readonly record?: boolean;
      readonly layers?: number;
    } = {},
  ): Machine {
    const { costModel: model, hardware: profile } = this;
    const { hardware, software } = options;
    return openMachine({
      profile: hardware === undefined ? profile : overrideProfile(profile, hardware),
      stack: software === undefined ? stack : overrideStack(stackByName(stack), software),
      // The same object where nothing differs: graphs are remembered by it.
      shapes: options.layers === undefined ? model : { ...model, layers: options.layers },
      quant: this.options.quant,
      memory,
      record: options.record,
    });
  }

  /**
   * Decodes of the workload the user asked for, else of the experiment's own.
   * @throws UsageError for an unknown workload
   */
  decodes(standard: string): Promise<Decodes> {
    return this.decodesOf(this.options.workload ?? standard, this.options.seed);
  }

  /**
   * Decodes of a workload by name.
   * @throws UsageError for an unknown workload
   */
  decodesOf(name: string, seed: number): Promise<Decodes> {
    const key = `${seed} ${name}`;
    let found = this.made.get(key);
    if (found === undefined) {
      found = this.open(name, seed);
      this.made.set(key, found);
    }
    return found;
  }

  /** Numbers of the chip and the stacks that are no measurements. */
  assumed(stacks: readonly string[]): ProvenanceEntry[] {
    return fittedOrAssumed([
      ...provenanceEntries(this.hardware.provenance),
      ...stacks.flatMap((name) => provenanceEntries(stackByName(name).provenance, `${name}.`)),
    ]);
  }

  close(): void {
    for (const workload of this.opened) workload.close();
  }

  private async open(name: string, seed: number): Promise<Decodes> {
    const workload = await openDecider({ workload: name }, seed);
    this.opened.push(workload);
    return new Decodes(this, workload);
  }
}
