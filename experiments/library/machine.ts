import { existsSync } from 'node:fs';
import type { Machine } from '../../sim/machine/machine.js';
import { ownMemory } from '../../sim/memory/own-mode.js';
import { type MachineSettings, openChip, machine as openMachine } from '../../sim/open-machine.js';
import { UsageError } from '../../src/errors.js';
import type { ModelConfig } from '../../src/model/config.js';
import { resolveModelConfig, shippedModels } from '../../src/model/load.js';
import { presetNames } from '../../src/model/presets.js';
import { unknownName } from '../../src/util/nearest.js';
import { loadModel } from './model.js';
import { refuseUnknown } from './refuse-unknown.js';

/** What a machine is made of; everything left out has the paper's setting. */
export interface MachineRequest extends Partial<Omit<MachineSettings, 'shapes'>> {
  /**
   * The model whose shapes are timed: a preset (`llada-8b`), a shipped model, a directory, a `.gguf` file, or a
   * configuration.
   * @defaultValue the model that is decoded
   */
  readonly shapes?: string | ModelConfig;
}

/** A chip with its software: opened anew for every decode, so that one can time many, at the same time too. */
export interface MachineDescription {
  /** Profile and stack, as in results. */
  readonly name: string;
  /**
   * A machine at time 0 with nothing mapped.
   * @param model timed when the chip names no shapes
   * @throws UsageError when neither is there, or the model cannot run in the chip's address window; EnvironmentError or
   *   DataError when a file of shapes is missing or damaged
   */
  open(model?: ModelConfig): Promise<Machine>;
}

/**
 * Describes a modelled chip: hardware profile, software stack, shapes, weight format, memory mode, and numbers set by
 * name. Without arguments: llada.cpp on SM8750, Q4_0 weights, and the memory mode of the stack (SOMR of llada.cpp).
 * @throws UsageError with the nearest names for what is unknown, or for a value of the wrong dimension; DataError
 *   naming the field when a file is wrong
 */
export function machine(choice: MachineRequest = {}): MachineDescription {
  const { shapes, quant = 'q4_0', placement, record } = choice;
  // What is wrong is said here, where it was written, and not in the middle of a decode.
  const chip = openChip({ profile: 'sm8750', stack: 'llada.cpp', ...choice });
  const memory = choice.memory ?? ownMemory(chip.stack);
  refuseUnknown('setting of a machine', choice, SETTINGS);
  if (typeof shapes === 'string' && !isName(shapes) && !existsSync(shapes))
    throw unknownName('model', shapes, names());
  return {
    name: `${chip.profile.name}/${chip.stack.name}`,
    async open(model) {
      const timed = typeof shapes === 'string' ? await shapesOf(shapes) : (shapes ?? model);
      if (timed === undefined) throw new UsageError('machine: give shapes, or the model to time');
      return openMachine({ ...chip, shapes: timed, quant, memory, placement, record });
    },
  };
}

const SETTINGS: Readonly<Record<keyof MachineRequest, true>> = {
  profile: true,
  stack: true,
  set: true,
  shapes: true,
  quant: true,
  memory: true,
  placement: true,
  record: true,
};

const names = (): string[] => [...presetNames(), ...shippedModels()];
const isName = (shapes: string): boolean => names().includes(shapes);

async function shapesOf(nameOrPath: string): Promise<ModelConfig> {
  if (isName(nameOrPath)) return resolveModelConfig(nameOrPath);
  const model = await loadModel(nameOrPath);
  await model.close();
  return model.config;
}
