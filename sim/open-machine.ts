import { UsageError } from '../src/errors.js';
import type { ModelConfig } from '../src/model/config.js';
import type { Precision } from '../src/model/graph.js';
import { precisionFor, type Quant, quantByName } from '../src/model/precision.js';
import { unknownName } from '../src/util/nearest.js';
import { Recent } from '../src/util/recent.js';
import { loadProfile, overrideProfile, parseProfile, profileText } from './hardware/load-profile.js';
import { baseText, type Quantity } from './hardware/quantity.js';
import type { HardwareProfile } from './hardware/schema.js';
import { EventMachine, type Machine } from './machine/machine.js';
import type { Recording } from './machine/timeline.js';
import { MEMORY_MODES, type MemoryMode } from './memory/runtime.js';
import { PLACEMENT_READINGS, type PlacementReading } from './memory/somr-plan.js';
import { isStackPath, stackByName, stackHash } from './stacks/registry.js';
import { overrideStack, type SoftwareStack } from './stacks/stack.js';

/** Numbers to replace, by full name: a number in base units, or text with its unit. */
export type NumberSettings = Readonly<Record<string, number | string>>;

/** A chip with its software. */
export interface Chip {
  readonly profile: HardwareProfile;
  readonly stack: SoftwareStack;
}

/** What a chip is made of: shipped names, paths of JSON files, or objects. */
export interface ChipSettings {
  /** `sm8750`, `./my-phone.json`, or a loaded profile. */
  readonly profile: string | HardwareProfile;
  /** `llada.cpp`, or a stack. */
  readonly stack: string | SoftwareStack;
  /** e.g. `{ 'stack.cpuThreads': 4, 'profile.npu.dmaRate': '60 GB/s' }` */
  readonly set?: NumberSettings;
}

/** What a machine is made of. */
export interface MachineSettings extends ChipSettings {
  /** The model whose shapes are timed. */
  readonly shapes: ModelConfig;
  /** Weight format, or the format of each kind of tensor. */
  readonly quant: Quant | Precision;
  /** How weights that exceed the address window are brought in. */
  readonly memory: MemoryMode;
  /** Which reading of "resident" SOMR follows. @defaultValue 'global' */
  readonly placement?: PlacementReading;
  /** Keep a timeline; `true` is `op`. @defaultValue false */
  readonly record?: boolean | Recording;
}

/**
 * The one way to make a machine: a chip with its software and a model on it, at time 0 with nothing mapped.
 * @throws UsageError with the nearest names for what is unknown, or for a value of the wrong dimension; DataError
 *   naming the field when a file is wrong
 */
export function machine(settings: MachineSettings): Machine {
  const { shapes, quant, memory, placement = 'global', record = 'none' } = settings;
  return new EventMachine({
    ...openChip(settings),
    shapes,
    quant: typeof quant === 'string' ? precisionFor(quantByName(quant)) : quant,
    memory: memberOf('memory mode', memory, MEMORY_MODES),
    placement: memberOf('placement', placement, PLACEMENT_READINGS),
    record: record === true ? 'op' : record === false ? 'none' : record,
  });
}

const PROFILE = 'profile.';
const STACK = 'stack.';

/**
 * Chips by what they are made of: machines of the same objects share what has no clock. Few, because that can be tens of
 * megabytes each.
 */
const opened = new Recent<Chip>(4);

/**
 * A profile and a stack with the numbers that were set.
 * @throws as `machine`
 */
export function openChip({ profile, stack, set = {} }: ChipSettings): Chip {
  if (typeof profile !== 'string' || typeof stack !== 'string') {
    const base = typeof profile === 'string' ? loadProfile(profile) : profile;
    return withNumbers({ profile: base, stack: typeof stack === 'string' ? stackByName(stack) : stack }, set);
  }
  // Files may change while this process runs.
  const text = profileText(profile);
  const key = JSON.stringify([text, isStackPath(stack) ? stackHash(stack) : stack, set]);
  return opened.get(key, () =>
    withNumbers({ profile: parseProfile(text, profile), stack: stackByName(stack) }, set),
  );
}

/**
 * @param set full names, see `MachineSettings`
 * @throws UsageError with the nearest names, or for a value of the wrong dimension
 */
function withNumbers({ profile, stack }: Chip, set: NumberSettings): Chip {
  if (Object.keys(set).length === 0) return { profile, stack };
  const known = new Map<string, Quantity>();
  for (const [name, quantity] of Object.entries(profile.provenance)) known.set(PROFILE + name, quantity);
  for (const [name, quantity] of Object.entries(stack.provenance)) known.set(STACK + name, quantity);
  const ofProfile: Record<string, string> = {};
  const ofStack: Record<string, string> = {};
  for (const [name, value] of Object.entries(set)) {
    const quantity = known.get(name);
    if (quantity === undefined) throw unknownName('number', name, [...known.keys()]);
    const text = typeof value === 'number' ? baseText(value, quantity.dimension) : value;
    if (name.startsWith(PROFILE)) ofProfile[name.slice(PROFILE.length)] = text;
    else ofStack[name.slice(STACK.length)] = text;
  }
  return { profile: overrideProfile(profile, ofProfile), stack: overrideStack(stack, ofStack) };
}

/** For callers without types. */
function memberOf<T extends string>(kind: string, name: T, names: readonly T[]): T {
  if (typeof name !== 'string') throw new UsageError(`a ${kind} is one of ${names.join(', ')}`);
  if (!names.includes(name)) throw unknownName(kind, name, names);
  return name;
}
