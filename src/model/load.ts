import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { EnvironmentError, UsageError } from '../errors.js';
import { unknownName } from '../util/nearest.js';
import { project } from '../util/project-root.js';
import type { ModelConfig } from './config.js';
import { openGguf } from './formats/gguf-source.js';
import { readHfConfig } from './formats/hf-config.js';
import { openSafetensors } from './formats/safetensors-source.js';
import { PRESET_NAMES, resolvePreset } from './presets.js';
import { loadTokenizer, type Tokenizer } from './tokenizer.js';
import { checkWeights, type WeightSource } from './weights.js';

/** A model that can be run: shapes, weights and tokenizer. */
export interface LoadedModel {
  readonly config: ModelConfig;
  readonly weights: WeightSource;
  /** Null when there is no tokenizer.json beside the weights. */
  readonly tokenizer: Tokenizer | null;
  /** File whose content identifies the model in results. */
  readonly weightsPath: string;
}

/** Models shipped with the project: the directories of models/ that hold a config.json. */
export function shippedModels(): readonly string[] {
  const root = join(project().root, 'models');
  if (!existsSync(root)) return [];
  return readdirSync(root).filter((name) => existsSync(join(root, name, 'config.json')));
}

/**
 * Shapes of a published model or of a shipped one: all that timing needs.
 * @throws UsageError with the nearest names
 */
export async function resolveModelConfig(name: string): Promise<ModelConfig> {
  if (PRESET_NAMES.includes(name.toLowerCase())) return resolvePreset(name);
  const shipped = shippedModels();
  if (!shipped.includes(name)) throw unknownName('model', name, [...shipped, ...PRESET_NAMES]);
  return readHfConfig(join(project().root, 'models', name, 'config.json'), name);
}

/**
 * Loads a shipped model by name (`tiny-llada`), a Hugging Face LLaDA directory, or a .gguf file.
 * @throws UsageError for a name that is neither, with the nearest names; DataError for damaged files
 */
export async function loadModel(nameOrPath: string): Promise<LoadedModel> {
  const shipped = shippedModels();
  if (shipped.includes(nameOrPath))
    return loadDirectory(join(project().root, 'models', nameOrPath), nameOrPath);
  if (nameOrPath.endsWith('.gguf')) return loadGguf(nameOrPath);
  if (existsSync(nameOrPath) && statSync(nameOrPath).isDirectory()) {
    return loadDirectory(nameOrPath, basename(resolve(nameOrPath)));
  }
  if (PRESET_NAMES.includes(nameOrPath)) {
    throw new UsageError(
      `${nameOrPath} has no weights here: it can be timed, not run; give a directory or .gguf file`,
    );
  }
  throw unknownName('model', nameOrPath, [...shipped, ...PRESET_NAMES]);
}

async function loadDirectory(directory: string, name: string): Promise<LoadedModel> {
  const config = await readHfConfig(join(directory, 'config.json'), name);
  const index = join(directory, 'model.safetensors.index.json');
  const weightsPath = existsSync(index) ? index : join(directory, 'model.safetensors');
  return complete(config, await openSafetensors(directory), directory, weightsPath);
}

async function loadGguf(path: string): Promise<LoadedModel> {
  const { config, weights } = await openGguf(path);
  return complete(config, weights, resolve(path, '..'), path);
}

async function complete(
  config: ModelConfig,
  weights: WeightSource,
  directory: string,
  weightsPath: string,
): Promise<LoadedModel> {
  try {
    checkWeights(config, weights);
    const tokenizerPath = join(directory, 'tokenizer.json');
    const tokenizer = existsSync(tokenizerPath) ? await loadTokenizer(tokenizerPath) : null;
    return { config, weights, tokenizer, weightsPath };
  } catch (error) {
    await weights.close();
    throw error;
  }
}

/** SHA-256 of a file, in hexadecimal, read as a stream. @throws EnvironmentError when it cannot be read */
export async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  } catch (error) {
    throw new EnvironmentError(
      `cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return hash.digest('hex');
}
