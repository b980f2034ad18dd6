import type { ModelConfig } from '../../src/model/config.js';
import type { OpGraph, Precision } from '../../src/model/graph.js';
import { graphFor, shapeKey } from '../../src/model/graph-cache.js';
import { precisionKey } from '../../src/model/precision.js';
import type { PassShape } from '../../src/pass/shape.js';
import { Recent } from '../../src/util/recent.js';
import type { HardwareProfile } from '../hardware/schema.js';
import { memoryFactory } from '../memory/create-memory.js';
import { scratchBytes } from '../memory/regions.js';
import { type MemoryMode, type MemoryRuntime, UnlimitedMemory } from '../memory/runtime.js';
import type { PlacementReading } from '../memory/somr-plan.js';
import { groupsOf } from '../stacks/dispatch.js';
import type { SoftwareStack } from '../stacks/stack.js';
import { type CpuWork, effectiveThreads } from './cpu-model.js';
import { cpuWork } from './lower/index.js';
import { checkWindow, type ModelOnChip, mayStage, memoryContext } from './memory-context.js';
import { NpuUnits } from './npu-unit.js';
import { Names, type PreparedPass, preparePass, type Workplace } from './prepare.js';
import { type Rates, ratesOf } from './rates.js';

/** What tells a kind of machine from another. */
export interface KindOptions {
  /** The chip. */
  readonly profile: HardwareProfile;
  /** The software on it. */
  readonly stack: SoftwareStack;
  /** The model whose shapes are timed. */
  readonly shapes: ModelConfig;
  /** Storage format of each kind of tensor. */
  readonly quant: Precision;
  /** How weights beyond the address window come in. */
  readonly memory: MemoryMode;
  /** Which weights are residents. */
  readonly placement: PlacementReading;
}

/** Shapes that are kept: a sweep over answers meets some thousand, a prepared pass of an 8B model is about 10 kB. */
const SHAPES = 2048;

/**
 * What machines of one kind share: everything that follows from chip, software and model, and has no clock. Timed
 * operators, prepared passes and placements are found once for all of them.
 */
export class MachineKind {
  readonly rates: Rates;
  /** While a staging copy runs. */
  readonly ratesBesideCopy: Rates;
  readonly npu: NpuUnits;
  readonly cores: number;
  /** Share of the cores that main-path CPU operators keep busy. */
  readonly coreShare: number;
  private readonly at: Workplace;
  private readonly passes = new Recent<PreparedPass>(SHAPES);
  private readonly cpuPasses = new Recent<CpuWork>(SHAPES);
  private makeMemory: (() => MemoryRuntime) | null = null;

  /** @throws UsageError for a window that cannot hold the weights of a single operator */
  constructor(readonly options: KindOptions) {
    const { profile, stack, memory } = options;
    this.rates = ratesOf(profile, false, stack.weightStream);
    this.ratesBesideCopy = ratesOf(profile, true, stack.weightStream);
    const { rates, ratesBesideCopy } = this;
    this.npu = new NpuUnits({ profile, stack, rates });
    // A window that fits nothing is refused here, not in the first step.
    if (memory !== 'unlimited') checkWindow(this.chip);
    this.cores = profile.cpu.primeCores + profile.cpu.midCores;
    const threads = Math.min(stack.numbers.cpuThreads, this.cores);
    this.coreShare = threads / this.cores;
    // Main-path CPU operators leave a copy its share for as long as there may be one.
    const stages = memory === 'somr' && mayStage(this.chip);
    this.at = {
      profile,
      stack,
      npu: this.npu,
      // A copy takes its share of DRAM from whatever an operator moves with: queues, threads, all of them together.
      npuBesideCopy:
        memory === 'somr' ? new NpuUnits({ profile, stack, rates: this.ratesBesideCopy }) : this.npu,
      cpuThreads: effectiveThreads(profile, threads, stack.threadShares),
      cpuBytesPerMs: (stages ? ratesBesideCopy : rates).cpuBytesPerMs,
      names: new Names(),
    };
  }

  /** What a pass on the main path takes, but for its memory. */
  pass(shape: PassShape): PreparedPass {
    return this.passes.get(shapeKey(shape), () => {
      const graph = this.graph(shape);
      let bytes: number | null = null;
      const activations = (): number => {
        bytes ??= scratchBytes(this.graph(shape), this.npuOps(shape));
        return bytes;
      };
      return preparePass(graph, this.at, activations);
    });
  }

  /** A pass that runs on CPU cores as a whole. */
  cpuPass(shape: PassShape): CpuWork {
    return this.cpuPasses.get(shapeKey(shape), () => {
      const { profile, stack } = this.options;
      const graph = this.graph(shape);
      let singleThreadMs = 0;
      let bytes = 0;
      for (const op of graph.ops) {
        const work = cpuWork(op, graph, profile, stack.numbers);
        singleThreadMs += work.singleThreadMs;
        bytes += work.bytes;
      }
      return { singleThreadMs, bytes };
    });
  }

  /**
   * A memory runtime with nothing mapped.
   * @param first shape of the pass that it will serve first, where that is known
   * @throws UsageError for a window that no weight fits
   */
  memory(first: PassShape | null): MemoryRuntime {
    const { memory, placement } = this.options;
    this.makeMemory ??=
      memory === 'unlimited'
        ? () => new UnlimitedMemory()
        : memoryFactory(memory, memoryContext(this.chip, this.rates, this.npu, first), placement);
    return this.makeMemory();
  }

  private get chip(): ModelOnChip {
    const { profile, stack, shapes: model, quant: precision } = this.options;
    return { profile, stack, model, precision };
  }

  private graph(shape: PassShape): OpGraph {
    return graphFor(this.options.shapes, shape, this.options.quant);
  }

  private npuOps(shape: PassShape) {
    const { profile, stack } = this.options;
    const groups = groupsOf(stack, this.graph(shape), profile);
    return groups.filter(({ device }) => device === 'npu').flatMap(({ ops }) => ops);
  }
}

const kinds = new WeakMap<
  HardwareProfile,
  WeakMap<SoftwareStack, WeakMap<ModelConfig, Map<string, MachineKind>>>
>();

/** The kind of a machine; machines of the same objects share it. */
export function kindOf(options: KindOptions): MachineKind {
  const { profile, stack, shapes, quant, memory, placement } = options;
  const ofProfile = kinds.get(profile) ?? new WeakMap<SoftwareStack, never>();
  kinds.set(profile, ofProfile);
  const ofStack = ofProfile.get(stack) ?? new WeakMap<ModelConfig, never>();
  ofProfile.set(stack, ofStack);
  const ofModel = ofStack.get(shapes) ?? new Map<string, MachineKind>();
  ofStack.set(shapes, ofModel);
  const key = `${precisionKey(quant)} ${memory} ${placement}`;
  let kind = ofModel.get(key);
  if (kind === undefined) {
    kind = new MachineKind(options);
    ofModel.set(key, kind);
  }
  return kind;
}
