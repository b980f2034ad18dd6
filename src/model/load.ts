import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { UsageError } from '../errors.js';
import { unknownName } from '../util/nearest.js';
import { project } from '../util/project-root.js';
import { cannotRead, readText } from '../util/read-file.js';
import type { ModelConfig } from './config.js';
import { openCheckpoint } from './formats/checkpoint-source.js';
import { openGguf } from './formats/gguf-source.js';
import { tokenizerFromGguf } from './formats/gguf-tokenizer-read.js';
import type { GgufMetadata } from './formats/gguf-types.js';
import { parseHfConfig, readHfConfig } from './formats/hf-config.js';
import { isPresetName, presetNames, resolvePreset } from './presets.js';
import { createTokenizer, loadTokenizer, type Tokenizer } from './tokenizer.js';
import { checkWeights, type WeightSource } from './weights.js';

/** A model that can be run: shapes, weights and tokenizer. */
export interface LoadedModel {
  readonly config: ModelConfig;
  readonly weights: WeightSource;
  /** From tokenizer.json beside the weights, else from the GGUF file itself; null when neither has one. */
  readonly tokenizer: Tokenizer | null;
  readonly tokenizerPath: string | null;
  /** Whether the model comes with a chat template: it was trained on dialogues. */
  readonly chat: boolean;
  /** Metadata of a GGUF file. */
  readonly metadata: GgufMetadata | null;
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
  if (isPresetName(name)) return resolvePreset(name);
  const shipped = shippedModels();
  if (!shipped.includes(name)) throw unknownName('model', name, [...shipped, ...presetNames()]);
  return parseHfConfig(readHfConfig(join(project().root, 'models', name, 'config.json')), name);
}

/**
 * Loads a shipped model by name (`tiny-llada`), a Hugging Face directory, or a .gguf file.
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
  if (isPresetName(nameOrPath)) {
    throw new UsageError(
      `${nameOrPath} has no weights here: it can be timed, not run; give a directory or .gguf file`,
    );
  }
  throw unknownName('model', nameOrPath, [...shipped, ...presetNames()]);
}

async function loadDirectory(directory: string, name: string): Promise<LoadedModel> {
  const { config, weights } = await openCheckpoint(directory, name);
  const index = join(directory, 'model.safetensors.index.json');
  const weightsPath = existsSync(index) ? index : join(directory, 'model.safetensors');
  return complete(config, weights, directory, weightsPath, null);
}

async function loadGguf(path: string): Promise<LoadedModel> {
  const { config, metadata, weights } = await openGguf(path);
  return complete(config, weights, resolve(path, '..'), path, metadata);
}

async function complete(
  config: ModelConfig,
  weights: WeightSource,
  directory: string,
  weightsPath: string,
  metadata: GgufMetadata | null,
): Promise<LoadedModel> {
  try {
    checkWeights(config, weights);
    const beside = join(directory, 'tokenizer.json');
    const tokenizerPath = existsSync(beside) ? beside : null;
    const embedded =
      tokenizerPath === null && metadata !== null
        ? tokenizerFromGguf(metadata, config.arch, weightsPath)
        : null;
    let tokenizer: Tokenizer | null = null;
    if (tokenizerPath !== null) tokenizer = await loadTokenizer(tokenizerPath);
    else if (embedded !== null) tokenizer = createTokenizer(embedded, weightsPath);
    const chat = metadata?.has('tokenizer.chat_template') || (await hasChatTemplate(directory));
    return { config, weights, tokenizer, tokenizerPath, chat, metadata, weightsPath };
  } catch (error) {
    await weights.close();
    throw error;
  }
}

/** Hugging Face keeps the template in a file of its own or in tokenizer_config.json. */
async function hasChatTemplate(directory: string): Promise<boolean> {
  if (existsSync(join(directory, 'chat_template.jinja'))) return true;
  const path = join(directory, 'tokenizer_config.json');
  return existsSync(path) && readText(path).includes('"chat_template"');
}

/** SHA-256 of a file, in hexadecimal, read as a stream. @throws EnvironmentError when it cannot be read */
export async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  } catch (error) {
    throw cannotRead(path, error);
  }
  return hash.digest('hex');
}
