import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { type MachineExtras, openMachine } from '../experiments/lab/open.js';
import type { ChipSetup } from '../experiments/lab/setup.js';
import type { Machine } from '../sim/machine/machine.js';
import { ownMemory } from '../sim/memory/own-mode.js';
import type { MemoryMode } from '../sim/memory/runtime.js';
import { stackByName } from '../sim/stacks/registry.js';
import type { ModelConfig } from '../src/model/config.js';
import { parseHfConfig, readHfConfig } from '../src/model/formats/hf-config.js';
import type { Precision } from '../src/model/graph.js';
import { loadModel, resolveModelConfig } from '../src/model/load.js';
import { precisionFor, QUANTS, type Quant } from '../src/model/precision.js';
import { isPresetName, resolvePreset } from '../src/model/presets.js';
import {
  precisionOf,
  QUANT_RECIPE_NAMES,
  type QuantRecipe,
  recipePrecision,
} from '../src/model/quant-recipes.js';
import { headId } from '../src/model/weight-ids.js';

/** A chip whose model may be a file, whose formats may be a recipe, and whose stack brings its own memory mode. */
export interface TimedChip extends Omit<ChipSetup, 'quant' | 'memory'> {
  /** Default that of the stack. */
  readonly memory?: MemoryMode;
  readonly quant?: Quant | QuantRecipe;
}

/** What is timed: shapes and formats. */
export interface TimedModel {
  readonly shapes: ModelConfig;
  readonly precision: Precision;
  /** `q4_0`, a recipe, or `as stored` for a file's own. */
  readonly quant: string;
}

/**
 * Shapes of a published or shipped model by name, of a .gguf file, of a directory, or of a config.json; formats as asked for, else
 * those of the .gguf file, else Q4_0 throughout.
 * @throws UsageError with the nearest names; EnvironmentError or DataError for files
 */
export async function timedModel({ costModel, quant }: TimedChip): Promise<TimedModel> {
  const asked = (shapes: ModelConfig, name: Quant | QuantRecipe = 'q4_0'): TimedModel => ({
    shapes,
    precision: isRecipe(name) ? recipePrecision(name, shapes) : precisionFor(name),
    quant: name,
  });
  if (isPresetName(costModel)) return asked(resolvePreset(costModel), quant);
  if (costModel.endsWith('.json')) {
    const name = basename(dirname(resolve(costModel)));
    return asked(parseHfConfig(readHfConfig(costModel), name), quant);
  }
  if (!costModel.endsWith('.gguf') && !existsSync(costModel))
    return asked(await resolveModelConfig(costModel), quant);
  const { config, weights, weightsPath } = await loadModel(costModel);
  const formats = new Map(weights.names().map((id) => [id, weights.info(id)!.dtype]));
  await weights.close();
  if (quant !== undefined || !weightsPath.endsWith('.gguf')) return asked(config, quant);
  return { shapes: config, precision: precisionOf(formats, headId(config)), quant: 'as stored' };
}

/** A machine for a model of any kind. @throws as `timedModel`, and as `openMachine` */
export async function openTimedMachine(
  chip: TimedChip,
  extras: Pick<MachineExtras, 'record'> = {},
): Promise<Machine> {
  return machineOf(chip, await timedModel(chip), extras);
}

/** The same of a model that was opened. */
export function machineOf(
  chip: TimedChip,
  { shapes, precision }: TimedModel,
  extras: Pick<MachineExtras, 'record'> = {},
): Machine {
  const memory = chip.memory ?? ownMemory(stackByName(chip.stack));
  return openMachine({ ...chip, memory, quant: 'q4_0' }, { ...extras, shapes, precision });
}

function isRecipe(name: string): name is QuantRecipe {
  return QUANT_RECIPE_NAMES.some((known) => known === name) && !QUANTS.some((known) => known === name);
}
