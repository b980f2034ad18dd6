import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { DataError, EnvironmentError, UsageError } from '../errors.js';
import { unknownName } from '../util/nearest.js';
import { project } from '../util/project-root.js';
import { cannotRead, isDirectory } from '../util/read-file.js';
import type { ModelConfig } from './config.js';
import { openCheckpoint } from './formats/checkpoint-source.js';
import { readFolderText } from './formats/folder-text.js';
import { startsModel } from './formats/gguf-parts.js';
import { openGguf } from './formats/gguf-source.js';
import { ggufTemplates, hasWholeTokenizer, readGgufText } from './formats/gguf-text.js';
import { countOf, type GgufMetadata } from './formats/gguf-types.js';
import { parseHfConfig, readHfConfig } from './formats/hf-config.js';
import { weightsFileOf } from './formats/safetensors-source.js';
import { type ModelText, NO_TEXT } from './model-text.js';
import { isPresetName, presetNames, resolvePreset } from './presets.js';
import { createTokenizer, type Tokenizer } from './tokenizer.js';
import { checkWeights, type WeightSource } from './weights.js';

/** A model that can be run: shapes, weights and tokenizer. */
export interface LoadedModel {
  readonly config: ModelConfig;
  readonly weights: WeightSource;
  /** From the tokenizer.json in a GGUF file or beside the weights, else from llama.cpp's keys; null without either. */
  readonly tokenizer: Tokenizer | null;
  /** What its files say about text: what a conversion carries. */
  readonly text: ModelText;
  /** Whether the model comes with a chat template: it was trained on dialogues. */
  readonly chat: boolean;
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

export interface LoadOptions {
  /** False makes no tokenizer of what the files say about text, which takes longer than all else. Default true. */
  readonly text?: boolean;
}

/**
 * Loads a shipped model by name (`tiny-llada`), a Hugging Face directory, a .gguf file, or a
 * directory with one, split or not.
 * @throws UsageError for a name that is neither, with the nearest names; EnvironmentError for a path where nothing
 *   is; DataError for damaged files
 */
export async function loadModel(nameOrPath: string, { text = true }: LoadOptions = {}): Promise<LoadedModel> {
  const shipped = shippedModels();
  if (shipped.includes(nameOrPath))
    return loadDirectory(join(project().root, 'models', nameOrPath), nameOrPath, text);
  if (nameOrPath.endsWith('.gguf')) return loadGguf(nameOrPath, text);
  if (nameOrPath.includes('/') || existsSync(nameOrPath)) {
    if (isDirectory(nameOrPath)) {
      const gguf = ggufIn(nameOrPath);
      const name = basename(resolve(nameOrPath));
      return gguf === null ? loadDirectory(nameOrPath, name, text) : loadGguf(gguf, text);
    }
    throw new DataError(`${nameOrPath}: neither a directory nor a .gguf file`);
  }
  if (isPresetName(nameOrPath)) {
    throw new UsageError(
      `${nameOrPath} has no weights here: it can be timed, not run; give a directory or .gguf file`,
    );
  }
  throw unknownName('model', nameOrPath, [...shipped, ...presetNames()]);
}

/**
 * The one GGUF model of a directory without config.json, its first part if it is split; null where there is none.
 * @throws UsageError for several; EnvironmentError for parts without the first
 */
export function ggufIn(directory: string): string | null {
  if (existsSync(join(directory, 'config.json'))) return null;
  const names = readdirSync(directory);
  const models = names.filter(startsModel);
  if (models.length > 1)
    throw new UsageError(`${directory} holds several models: name one (${models.join(', ')})`);
  const part = names.find((name) => name.endsWith('.gguf'));
  if (models.length === 0 && part !== undefined)
    throw new EnvironmentError(`${join(directory, part)}: the first part of this split model is missing`);
  return models.length === 1 ? join(directory, models[0]) : null;
}

async function loadDirectory(directory: string, name: string, text: boolean): Promise<LoadedModel> {
  const { config, weights } = await openCheckpoint(directory, name);
  return complete(config, weights, weightsFileOf(directory), () =>
    text ? readFolderText(directory) : NO_TEXT,
  );
}

async function loadGguf(path: string, text: boolean): Promise<LoadedModel> {
  const { config, metadata, weights } = await openGguf(path);
  return complete(config, weights, path, () =>
    text ? textOfGguf(metadata, config, path) : { ...NO_TEXT, gguf: metadata },
  );
}

/** Tokens of a GGUF file that no tokenizer.json speaks for; null where one does, or there are none. */
export function tokensListed({ text, weightsPath }: LoadedModel): number | null {
  const { gguf } = text;
  if (gguf === null || hasWholeTokenizer(gguf)) return null;
  if (existsSync(resolve(weightsPath, '..', 'tokenizer.json'))) return null;
  return countOf(gguf.get('tokenizer.ggml.tokens'));
}

/** A tokenizer.json beside a file that does not hold one whole says more than llama.cpp's keys. */
function textOfGguf(metadata: GgufMetadata, { arch }: ModelConfig, path: string): ModelText {
  if (hasWholeTokenizer(metadata)) return readGgufText(metadata, arch, path);
  const beside = readFolderText(resolve(path, '..'));
  const text = beside.tokenizer === null ? readGgufText(metadata, arch, path) : { ...beside, gguf: metadata };
  return { ...text, templates: new Map([...beside.templates, ...ggufTemplates(metadata, path)]) };
}

async function complete(
  config: ModelConfig,
  weights: WeightSource,
  weightsPath: string,
  readText: () => ModelText,
): Promise<LoadedModel> {
  try {
    checkWeights(config, weights);
    const text = readText();
    const { tokenizer, fault } = usable(text, config.vocab);
    const { templates } = text;
    return { config, weights, tokenizer, text: { ...text, fault }, chat: templates.size > 0, weightsPath };
  } catch (error) {
    await weights.close();
    throw error;
  }
}

function usable({ tokenizer: json, fault, label, settings, gguf, raw }: ModelText, vocab: number) {
  try {
    if (json === null) return { tokenizer: null, fault };
    const tokens = raw === null ? gguf?.get('tokenizer.ggml.tokens')?.value : undefined;
    if (Array.isArray(tokens) && tokens.length !== vocab)
      throw new DataError(
        `${label}: tokenizer.ggml.tokens has ${tokens.length} tokens, the embedding ${vocab} rows`,
      );
    return { tokenizer: within(createTokenizer(json, label, settings), vocab, label), fault };
  } catch (error) {
    if (error instanceof DataError) return { tokenizer: null, fault: error };
    throw error;
  }
}

/** A tokenizer that gives no ids past the embedding. */
function within(tokenizer: Tokenizer, vocab: number, label: string): Tokenizer {
  if (tokenizer.size <= vocab) return tokenizer;
  return {
    size: tokenizer.size,
    encode(text, options) {
      const ids = tokenizer.encode(text, options);
      const past = ids.find((id) => id >= vocab);
      if (past === undefined) return ids;
      throw new DataError(
        `${label}: the text holds ${tokenizer.token(past)}, whose id ${past} is past the ${vocab} rows of the embedding`,
      );
    },
    decode: (ids, options) => tokenizer.decode(ids, options),
    token: (id) => tokenizer.token(id),
    id: (token) => tokenizer.id(token),
  };
}

/** SHA-256 of a file, in hexadecimal, read as a stream. @throws EnvironmentError when it cannot be read */
export async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    // Larger pieces than the usual: a fifth less processor time.
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 }))
      hash.update(chunk as Uint8Array);
  } catch (error) {
    throw cannotRead(path, error);
  }
  return hash.digest('hex');
}
