import type { Op, OpGraph } from '../../src/model/graph.js';
import type { HardwareProfile } from '../hardware/schema.js';
import { type Device, type DispatchGroup, GROUPINGS, PLACEMENTS, SESSIONS } from './behaviours.js';
import type { SoftwareStack } from './stack.js';
import { isSupported } from './support.js';

/** Splits a pass into dispatches, in execution order. What the backend does not take runs on the CPU. */
export function groupsOf(stack: SoftwareStack, graph: OpGraph, profile: HardwareProfile): DispatchGroup[] {
  const place: (op: Op, graph: OpGraph) => Device = PLACEMENTS[stack.placement];
  const { supports = null } = stack;
  const taken = (op: Op): Device => {
    const device = place(op, graph);
    return device === 'npu' && supports !== null && !isSupported(op, graph, supports) ? 'cpu' : device;
  };
  return GROUPINGS[stack.grouping](graph, taken, {
    numbers: stack.numbers,
    sessions: (weightBytes) => sessionsOf(stack, weightBytes, profile),
  });
}

/**
 * NPU processes, each with its own address window, that share the layers.
 * @param weightBytes of all operators on the NPU
 */
export function sessionsOf(stack: SoftwareStack, weightBytes: number, profile: HardwareProfile): number {
  return SESSIONS[stack.sessions](weightBytes, profile);
}
