import type { Engine } from '../../src/engine/engine.js';
import type { EngineHooks, EngineName, EngineSettings } from '../../src/engine/registry.js';
import { UsageError } from '../../src/errors.js';
import { type Prompt, promptIds, usualFormat } from '../../src/model/chat.js';
import type { ModelConfig } from '../../src/model/config.js';
import { type LoadedModel, loadModel as load } from '../../src/model/load.js';
import type { Tokenizer } from '../../src/model/tokenizer.js';
import { openEngine } from '../lab/open.js';

/** Which engine runs a model, and how. */
export interface EngineChoice extends EngineSettings {
  /** @defaultValue `'tfjs'`, the f32 reference */
  readonly engine?: EngineName;
}

/** A model that can be decoded, with the engines that were started on it. */
export interface Model {
  /** Shapes, special tokens and conventions of the model. */
  readonly config: ModelConfig;
  /** Text to token ids and back; null when the files have none. */
  readonly tokenizer: Tokenizer | null;
  /** Whether the model comes with a chat template: it was trained on dialogues. */
  readonly chat: boolean;
  /** File whose content identifies the model in results. */
  readonly weightsPath: string;
  /**
   * Frees the weights and the engines; a decode that is under way still ends. Closing twice does nothing.
   */
  close(): Promise<void>;
}

/**
 * Engines of one model that no decode is using. An engine holds the KV of one decode, so two decodes at a time take
 * two engines.
 */
class EnginePool {
  private readonly idle = new Map<string, Engine[]>();
  private readonly opening = new Set<Promise<Engine>>();
  private closed = false;

  constructor(private readonly model: LoadedModel) {}

  async use<T>(choice: EngineChoice, hooks: EngineHooks, work: (engine: Engine) => Promise<T>): Promise<T> {
    if (this.closed) throw new UsageError(`model ${this.model.config.name} was closed`);
    const { engine: name, backend, threads, compute, device } = choice;
    const key = JSON.stringify([name, backend, threads, compute, device]);
    const engine = this.idle.get(key)?.pop() ?? (await this.open(choice, hooks));
    try {
      return await work(engine);
    } finally {
      if (this.closed) engine.dispose();
      else this.idle.set(key, [...(this.idle.get(key) ?? []), engine]);
    }
  }

  private async open(choice: EngineChoice, hooks: EngineHooks): Promise<Engine> {
    const engine = openEngine(this.model, choice, hooks);
    this.opening.add(engine);
    try {
      return await engine;
    } finally {
      this.opening.delete(engine);
    }
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    // Engines read the weights while they open, and have copies of their own afterwards.
    await Promise.allSettled(this.opening);
    for (const engine of [...this.idle.values()].flat()) engine.dispose();
    this.idle.clear();
    await this.model.weights.close();
  }
}

const pools = new WeakMap<Model, EnginePool>();
const texts = new WeakMap<Model, LoadedModel['text']>();

/**
 * Opens a shipped model by name (`tiny-llada`), a directory of safetensors, or a `.gguf` file.
 * @throws UsageError for an unknown name, with the nearest; DataError for damaged files
 */
export async function loadModel(nameOrPath: string): Promise<Model> {
  const loaded = await load(nameOrPath);
  const pool = new EnginePool(loaded);
  const { config, tokenizer, chat, weightsPath } = loaded;
  const model: Model = { config, tokenizer, chat, weightsPath, close: () => pool.close() };
  pools.set(model, pool);
  texts.set(model, loaded.text);
  return model;
}

/**
 * Token ids of a prompt.
 * @param format default: the template of the model's files, else its usual framing
 * @throws UsageError for a model without a tokenizer, or a prompt that the format cannot frame; DataError for a
 *   tokenizer that cannot be used
 */
export function encodeFor(model: Model, prompt: Prompt, format?: string): number[] {
  const { config, tokenizer } = model;
  const text = texts.get(model);
  if (text === undefined) throw new UsageError('a model to decode comes from loadModel()');
  if (text.fault !== null) throw text.fault;
  if (tokenizer === null)
    throw new UsageError(
      `${config.name} has no tokenizer, neither in its file nor as tokenizer.json beside it: give token ids (--prompt-ids)`,
    );
  return promptIds(
    { tokenizer, arch: config.arch, text },
    format ?? usualFormat({ tokenizer, text }),
    prompt,
  );
}

/** Why the tokenizer of a model cannot be used; null where it can, or where there is none. */
export function tokenizerFault(model: Model): string | null {
  return texts.get(model)?.fault?.message ?? null;
}

/**
 * Runs work on an engine of the model that nothing else uses meanwhile.
 * @throws UsageError when the model was closed or does not come from `loadModel`; EnvironmentError when the engine is
 *   not installed
 */
export async function withEngine<T>(
  model: Model,
  choice: EngineChoice,
  hooks: EngineHooks,
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  const pool = pools.get(model);
  if (pool === undefined) throw new UsageError('a model to decode comes from loadModel()');
  return pool.use(choice, hooks, work);
}
