/**
 * The modelled phone by itself: chips, software stacks, and the time of a pass.
 *
 * @packageDocumentation
 */
export type { MachineDescription, MachineRequest } from './experiments/library/machine.js';
export { machine } from './experiments/library/machine.js';
export type { Energy } from './sim/energy/energy.js';
export { energyOf } from './sim/energy/energy.js';
export { loadProfile, profileNames } from './sim/hardware/load-profile.js';
export type { Quantity } from './sim/hardware/quantity.js';
export type { HardwareProfile } from './sim/hardware/schema.js';
export type { Machine, MachineOptions, StepBreakdown } from './sim/machine/machine.js';
export type { PartName } from './sim/machine/parts.js';
export { toPerfetto } from './sim/machine/perfetto.js';
export type { CounterSample, Recording, Span, Timeline } from './sim/machine/timeline.js';
export type { MemoryMap, MemoryMode } from './sim/memory/runtime.js';
export { MEMORY_MODES } from './sim/memory/runtime.js';
export { stackNames } from './sim/stacks/registry.js';
export { denoisingShape, steadyMs } from './sim/workload/steady-step.js';
export type {
  BusyMs,
  CounterName,
  ResourceName,
  StepCounters,
  StepTimer,
  StepTimes,
  StepTiming,
} from './src/decode/method/timer.js';
export type { Precision } from './src/model/graph.js';
export type { Quant } from './src/model/precision.js';
export { QUANTS } from './src/model/precision.js';
export { presetNames, resolvePreset } from './src/model/presets.js';
export type { KvSetShape, PassShape } from './src/pass/shape.js';
