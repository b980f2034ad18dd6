import { loadProfile, profileHash } from '../../sim/hardware/load-profile.js';
import type { HardwareProfile } from '../../sim/hardware/schema.js';
import { createMachine, type Machine } from '../../sim/machine/machine.js';
import type { MemoryMode } from '../../sim/memory/runtime.js';
import { stackByName } from '../../sim/stacks/registry.js';
import type { ModelConfig } from '../../src/model/config.js';
import { precisionFor } from '../../src/model/precision.js';
import { resolvePreset } from '../../src/model/presets.js';
import { type LadderContext, openContext } from '../ablation/context.js';
import { ABLATION_DEFAULTS } from '../ablation/options.js';
import { fittedOrAssumed, provenanceEntries } from '../ablation/provenance.js';
import type { ProvenanceEntry } from '../ablation/types.js';
import { Decodes } from './decodes.js';
import type { BenchOptions } from './defaults.js';
import { findLadder, type LadderSource } from './ladder-source.js';

export interface BenchHooks {
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** What experiments measure with: machines of one chip, and decodes of the trained model, made once and shared. */
export class Bench {
  readonly hardware: HardwareProfile;
  readonly costModel: ModelConfig;
  private opened: Promise<LadderContext> | null = null;
  private made: Promise<Decodes> | null = null;
  private ladderFound: Promise<LadderSource> | null = null;

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
    options: { readonly record?: boolean; readonly layers?: number } = {},
  ): Machine {
    const { costModel: model, hardware: profile } = this;
    return createMachine({
      profile,
      stack: stackByName(stack),
      model: { ...model, layers: options.layers ?? model.layers },
      precision: precisionFor(this.options.quant),
      memory,
      fidelity: 'event',
      record: options.record ?? false,
    });
  }

  /** Decodes of the trained model. */
  decodes(): Promise<Decodes> {
    this.made ??= this.context().then((context) => new Decodes(this, context));
    return this.made;
  }

  /** The ablation ladder of the paper's Table 6. */
  ladder(): Promise<LadderSource> {
    this.ladderFound ??= findLadder(this);
    return this.ladderFound;
  }

  /** SHA-256 of the weights that decide. */
  async modelSha256(): Promise<string> {
    return (await this.context()).model.sha256;
  }

  /** Numbers of the chip and the stacks that are no measurements. */
  assumed(stacks: readonly string[]): ProvenanceEntry[] {
    return fittedOrAssumed([
      ...provenanceEntries(this.hardware.provenance),
      ...stacks.flatMap((name) => provenanceEntries(stackByName(name).provenance, `${name}.`)),
    ]);
  }

  async close(): Promise<void> {
    if (this.opened !== null) (await this.opened).close();
  }

  private context(): Promise<LadderContext> {
    const { model, costModel, quant, profile, prompts, seed, genLength } = this.options;
    this.opened ??= openContext({
      ...ABLATION_DEFAULTS,
      ...{ model, costModel, quant, profile, prompts, seed, genLength },
    });
    return this.opened;
  }
}
