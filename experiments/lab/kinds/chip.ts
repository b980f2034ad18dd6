import { z } from 'zod';
import { loadProfile, overrideProfile, profileHash } from '../../../sim/hardware/load-profile.js';
import { createMachine, type Machine } from '../../../sim/machine/machine.js';
import { MEMORY_MODES } from '../../../sim/memory/runtime.js';
import { stackByName } from '../../../sim/stacks/registry.js';
import { overrideStack } from '../../../sim/stacks/stack.js';
import { precisionFor, QUANTS } from '../../../src/model/precision.js';
import { resolvePreset } from '../../../src/model/presets.js';

/** What is timed on what: the options that every kind of run with a machine shares. */
export const chipOptions = {
  costModel: z.string().default('llada-8b').describe('model whose shapes are timed'),
  quant: z.enum(QUANTS).default('q4_0'),
  profile: z.string().default('sm8750'),
  /** Numbers of the profile to replace, with unit: `{"npu.dmaRate": "60 GB/s"}`. */
  profileNumbers: z.record(z.string(), z.string()).default({}),
  stack: z.string().default('llada.cpp'),
  /** Numbers of the stack to replace: `{"headSpeedup": "4"}`. */
  stackNumbers: z.record(z.string(), z.string()).default({}),
  memory: z.enum(MEMORY_MODES).default('somr'),
  fidelity: z.enum(['event', 'analytic']).default('event'),
};

const chipSchema = z.object(chipOptions);
export type Chip = z.infer<typeof chipSchema>;

/**
 * A machine at time 0 with nothing mapped.
 * @throws UsageError for unknown names, or values of the wrong dimension
 */
export function machineOf(chip: Chip): Machine {
  return createMachine({ ...partsOf(chip), memory: chip.memory, fidelity: chip.fidelity });
}

function partsOf(chip: Chip) {
  return {
    profile: overrideProfile(loadProfile(chip.profile), chip.profileNumbers),
    stack: overrideStack(stackByName(chip.stack), chip.stackNumbers),
    model: resolvePreset(chip.costModel),
    precision: precisionFor(chip.quant),
  };
}

/**
 * Files a chip depends on.
 * @throws UsageError for unknown names, or values of the wrong dimension
 */
export function chipInputs(chip: Chip): Record<string, string> {
  const { costModel, quant, profile, profileNumbers, stack, stackNumbers } = chip;
  const key = JSON.stringify([costModel, quant, profile, profileNumbers, stack, stackNumbers]);
  if (!sound.has(key)) {
    partsOf(chip);
    sound.add(key);
  }
  return { [`profile ${profile}`]: profileHash(profile) };
}

/** Chips that were looked at already: the runs of a sweep have few, and reading one is most of what planning costs. */
const sound = new Set<string>();

/** `{a: 1}` as `{'prefix.a': 1}`. */
export function under(prefix: string, values: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}.${name}`, value]));
}
