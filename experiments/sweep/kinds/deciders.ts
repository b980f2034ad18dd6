import { cooperative } from '../../../src/engine/cooperative.js';
import type { Engine } from '../../../src/engine/engine.js';
import { createTfjsEngine } from '../../../src/engine/tfjs/engine.js';
import { UsageError } from '../../../src/errors.js';
import { fileSha256, loadModel } from '../../../src/model/load.js';
import { encodePrompt } from '../../../src/model/prompt.js';

/** A model that decides, with its words. */
export interface Decider {
  readonly engine: Engine;
  promptIds(prompt: string): number[];
  /** Text before the first end-of-text token. */
  textOf(tokens: readonly number[]): string;
}

/** Models kept open between the runs of a thread. */
export class Deciders {
  private readonly opened = new Map<string, Promise<Decider>>();

  open(model: string, engine: 'tfjs' | 'ort'): Promise<Decider> {
    const key = `${engine} ${model}`;
    let found = this.opened.get(key);
    if (found === undefined) {
      found = openDecider(model, engine);
      this.opened.set(key, found);
    }
    return found;
  }

  async close(): Promise<void> {
    for (const decider of this.opened.values()) (await decider).engine.dispose();
    this.opened.clear();
  }
}

async function openDecider(model: string, kind: 'tfjs' | 'ort'): Promise<Decider> {
  const { config, weights, weightsPath, tokenizer } = await loadModel(model);
  if (tokenizer === null) throw new UsageError(`model ${model} has no tokenizer.json beside its weights`);
  const open = async (): Promise<Engine> => {
    if (kind === 'tfjs') return createTfjsEngine(config, weights, { backend: 'wasm' });
    const { createOrtEngine } = await import('../../../src/engine/ort/engine.js');
    return createOrtEngine(config, weights, { threads: 1, compute: 'f32', weightsPath });
  };
  const engine = cooperative(await open());
  await weights.close();
  return {
    engine,
    promptIds: (prompt) => encodePrompt(tokenizer, prompt),
    textOf(tokens) {
      const end = tokens.indexOf(config.eosId);
      return tokenizer.decode(end < 0 ? tokens : tokens.slice(0, end));
    },
  };
}

const hashes = new Map<string, Promise<string>>();

/** SHA-256 of a model's weights; each file is read once per process. */
export function modelSha256(model: string): Promise<string> {
  let hash = hashes.get(model);
  if (hash === undefined) {
    hash = hashWeights(model);
    hashes.set(model, hash);
  }
  return hash;
}

async function hashWeights(model: string): Promise<string> {
  const { weights, weightsPath } = await loadModel(model);
  await weights.close();
  return fileSha256(weightsPath);
}
