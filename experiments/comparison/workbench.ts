import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { profileHash } from '../../sim/hardware/load-profile.js';
import { fittedOrAssumed, provenanceEntries } from '../../sim/hardware/provenance.js';
import type { HardwareProfile } from '../../sim/hardware/schema.js';
import type { Machine } from '../../sim/machine/machine.js';
import type { MemoryMode } from '../../sim/memory/runtime.js';
import type { ModelConfig } from '../../src/model/config.js';
import { resolvePreset } from '../../src/model/presets.js';
import { Lab } from '../lab/lab.js';
import { openChip, openMachine } from '../lab/open.js';
import type { WantedRun } from '../lab/plan.js';
import type { RunRecord } from '../lab/record.js';
import { type ChipSetup, chipSchema } from '../lab/setup.js';
import { ResultStore } from '../lab/store.js';
import { runAll } from '../lab/study.js';
import type { ProvenanceEntry } from '../studies/ladder/types.js';
import { Decodes } from './decodes.js';
import type { MachineChoice } from './machine-choice.js';
import type { WorkbenchHooks, WorkbenchOptions } from './options.js';

/** What studies measure with: machines of one chip, and decodes of deciders, made once and shared. */
export class Workbench {
  readonly hardware: HardwareProfile;
  readonly costModel: ModelConfig;
  /** What is open. */
  readonly lab = new Lab();
  /** Runs of a workbench without a store. */
  private own: string | undefined;
  private readonly made = new Map<string, Promise<Decodes>>();

  /** @throws UsageError for an unknown profile or cost model */
  constructor(
    readonly options: WorkbenchOptions,
    readonly hooks: WorkbenchHooks = {},
  ) {
    const { profile, costModel } = options;
    this.hardware = openChip({ profile, stack: 'cpu', numbers: {} }).profile;
    this.costModel = resolvePreset(costModel);
  }

  get profileSha256(): string {
    return profileHash(this.options.profile);
  }

  /** The workbench's chip under a stack, with the numbers of a choice. */
  chip({ stack, memory, hardware, software }: MachineChoice): ChipSetup {
    const { costModel, quant, profile } = this.options;
    const numbers = { ...named('profile', hardware), ...named('stack', software) };
    return chipSchema.parse({ costModel, quant, profile, stack, memory, numbers });
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
    const { record, layers, ...numbers } = options;
    return openMachine(this.chip({ stack, memory, ...numbers }), { record, layers });
  }

  /**
   * Decodes of the workload the user asked for, else of the study's own.
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
      found = this.lab.decider({ workload: name }, seed).then((decider) => new Decodes(this, decider, seed));
      this.made.set(key, found);
    }
    return found;
  }

  /** Numbers of the chip and the stacks that are no measurements. */
  assumed(stacks: readonly string[]): ProvenanceEntry[] {
    const { profile } = this.options;
    return fittedOrAssumed([
      ...provenanceEntries(this.hardware.provenance),
      ...stacks.flatMap((stack) =>
        provenanceEntries(openChip({ profile, stack, numbers: {} }).stack.provenance, `${stack}.`),
      ),
    ]);
  }

  /** Results of runs, in their order: those that the store has are not made again. */
  runs(wanted: readonly WantedRun[]): Promise<RunRecord[]> {
    const { store, jobs = 0, ...hooks } = this.hooks;
    return runAll(wanted, { ...hooks, jobs, store: store ?? this.ownStore(), lab: this.lab });
  }

  private ownStore(): ResultStore {
    this.own ??= mkdtempSync(join(tmpdir(), 'dllm-npu-'));
    return new ResultStore(this.own);
  }

  close(): Promise<void> {
    if (this.own !== undefined) rmSync(this.own, { recursive: true, force: true });
    return this.lab.close();
  }
}

function named(
  part: 'profile' | 'stack',
  numbers: Readonly<Record<string, string>> = {},
): ChipSetup['numbers'] {
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [`${part}.${name}`, value]));
}
