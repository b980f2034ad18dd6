import { overrideProfile } from '../hardware/load-profile.js';
import { baseText, type Dimension, type Kind, type Quantity } from '../hardware/quantity.js';
import type { HardwareProfile } from '../hardware/schema.js';
import type { Chip } from '../open-machine.js';
import { overrideStack, type SoftwareStack } from '../stacks/stack.js';

/** A number that was not measured on this chip and may lie anywhere in its range. */
export interface Parameter {
  /** e.g. `npu.dmaLatency`, or `stack.cpuThreads`. */
  readonly name: string;
  readonly kind: Kind;
  readonly dimension: Dimension;
  readonly value: number;
  readonly range: readonly [number, number];
  readonly integral: boolean;
}

const STACK_PREFIX = 'stack.';

/**
 * The numbers of a profile and a stack that have a range.
 * @param measured also those that were measured
 */
export function parametersOf(profile: HardwareProfile, stack: SoftwareStack, measured = false): Parameter[] {
  const named: [string, Quantity][] = [
    ...Object.entries(profile.provenance),
    ...Object.entries(stack.provenance).map(([name, quantity]): [string, Quantity] => [
      STACK_PREFIX + name,
      quantity,
    ]),
  ];
  return named.flatMap(([name, { kind, dimension, value, range }]) => {
    if (range === undefined || range[0] === range[1] || (kind === 'measured' && !measured)) return [];
    const integral = dimension === 'count' && [value, ...range].every(Number.isInteger);
    return [{ name, kind, dimension, value, range, integral }];
  });
}

/** The chip with some parameters at other values, in base units. */
export function withValues(chip: Chip, values: readonly (readonly [Parameter, number])[]): Chip {
  const profile: Record<string, string> = {};
  const stack: Record<string, string> = {};
  for (const [{ name, dimension, integral }, value] of values) {
    const text = baseText(integral ? Math.round(value) : value, dimension);
    if (name.startsWith(STACK_PREFIX)) stack[name.slice(STACK_PREFIX.length)] = text;
    else profile[name] = text;
  }
  return { profile: overrideProfile(chip.profile, profile), stack: overrideStack(chip.stack, stack) };
}
