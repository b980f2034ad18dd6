/**
 * The modelled phone by itself: chips, software stacks, and the time of a pass.
 *
 * @packageDocumentation
 */
export type { Chip, MachineChoice } from './experiments/library/machine.js';
export { machine } from './experiments/library/machine.js';
export type { Energy } from './sim/energy/energy.js';
export { energyOf } from './sim/energy/energy.js';
export { loadProfile, profileNames } from './sim/hardware/load-profile.js';
export type { HardwareProfile } from './sim/hardware/schema.js';
export { explainStep } from './sim/machine/explain.js';
export type { Machine, StepBreakdown } from './sim/machine/machine.js';
export { toPerfetto } from './sim/machine/perfetto.js';
export type { Timeline } from './sim/machine/timeline.js';
export { MEMORY_MODES } from './sim/memory/runtime.js';
export { stackByName, stackNames } from './sim/stacks/registry.js';
export type { SoftwareStack } from './sim/stacks/stack.js';
export { denoisingShape, steadyMs } from './sim/workload/steady-step.js';
export type { StepTimer, StepTiming } from './src/decode/method/timer.js';
export { QUANTS } from './src/model/precision.js';
export { presetNames, resolvePreset } from './src/model/presets.js';
export type { PassShape } from './src/pass/shape.js';
