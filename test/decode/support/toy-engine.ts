import type { Engine, PassResult } from '../../../src/engine/engine.js';
import { CheckError } from '../../../src/errors.js';
import type { ModelConfig } from '../../../src/model/config.js';
import { logicalPasses } from '../../../src/pass/groups.js';
import type { KvRef, Pass } from '../../../src/pass/pass.js';

export const TOY_VOCAB = 11;
export const TOY_MASK = 10;
export const TOY_EOS = 9;

export const TOY_CONFIG: ModelConfig = {
  name: 'toy',
  arch: 'llada',
  layers: 1,
  hidden: 4,
  heads: 1,
  kvHeads: 1,
  headDim: 4,
  ffn: 8,
  vocab: TOY_VOCAB,
  ropeTheta: 10_000,
  rmsEps: 1e-5,
  qkvBias: false,
  qkNorm: false,
  tiedHead: false,
  shiftLogits: false,
  attention: 'bidirectional',
  contextLength: 4096,
  maskId: TOY_MASK,
  bosId: null,
  endIds: [TOY_EOS],
};

function mix(a: number, b: number): number {
  let x = Math.imul(a ^ (b + 0x9e3779b9), 0x85ebca6b) >>> 0;
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35) >>> 0;
  return (x ^ (x >>> 16)) >>> 0;
}

const uniform = (hash: number): number => hash / 4294967296;

/** How much the context sways a row: 0 = position alone, 1 = mostly context. */
export interface ToyOptions {
  readonly seed: number;
  readonly sway?: number;
  /** Largest logit: 4 gives unsure rows, 12 sure ones. */
  readonly sharpness?: number;
  /** Every position is predicted from the row before it. */
  readonly shift?: boolean;
  /** What it was trained to see; default: everything. */
  readonly trained?: Partial<
    Pick<ModelConfig, 'attention' | 'alsoCausal' | 'blockLength' | 'shiftLogits' | 'orders'>
  >;
}

/**
 * A deterministic stand-in for a model. The "KV" of a row is a hash of what it was fed and of everything it saw,
 * so any wrong read, stale version or wrong feed changes the tokens that follow.
 */
export class ToyEngine implements Engine {
  readonly name = 'toy';
  readonly config: ModelConfig;
  readonly passes: Pass[] = [];
  private readonly kv = new Map<string, number>();

  constructor(private readonly options: ToyOptions) {
    this.config = {
      ...TOY_CONFIG,
      shiftLogits: options.shift ?? false,
      ...options.trained,
    };
  }

  get entries(): number {
    return this.kv.size;
  }

  run(pass: Pass): Promise<PassResult> {
    this.passes.push(pass);
    const parts = logicalPasses(pass).map((part) => this.runPart(part));
    const logits = new Float32Array(pass.logits.length * TOY_VOCAB);
    let at = 0;
    for (const part of parts) {
      logits.set(part, at);
      at += part.length;
    }
    return Promise.resolve({ logits });
  }

  /** A pass without groups. */
  private runPart(pass: Pass): Float32Array {
    const cached = pass.reads.map(({ position, version }) => {
      const entry = this.kv.get(`${position}:${version}`);
      if (entry === undefined) throw new CheckError(`no KV entry ${position} version ${version}`);
      return { position, mixed: mix(entry, position) };
    });
    // A sum: attention does not depend on the order of its keys.
    let context = 0;
    for (const { mixed } of cached) context = (context + mixed) >>> 0;
    const own = pass.rows.map(({ position, feed }) => ({ position, mixed: mix(mix(1, feed), position) }));
    const states = pass.rows.map(({ position, feed }, index) => {
      let seen = context;
      for (const [other, row] of own.entries()) {
        const hidden =
          (pass.visibility === 'causal' && row.position > position) ||
          (pass.visibility === 'ordered' && other > index);
        if (!hidden) seen = (seen + row.mixed) >>> 0;
      }
      if (pass.visibility === 'shadow') {
        for (const twin of cached) if (twin.position === position) seen = (seen - twin.mixed) >>> 0;
      }
      return mix(mix(seen, feed), position);
    });
    pass.rows.forEach(({ position }, row) => {
      const key = `${position}:${pass.version}`;
      if (this.kv.has(key)) throw new CheckError(`KV entry ${key} is written twice`);
      this.kv.set(key, states[row]);
    });
    const { seed, sway = 0.4, sharpness = 7 } = this.options;
    const logits = new Float32Array(pass.logits.length * TOY_VOCAB);
    pass.logits.forEach((row, index) => {
      const own = mix(seed, pass.rows[row].position);
      for (let id = 0; id < TOY_VOCAB; id++) {
        const habit = uniform(mix(own, id)) ** 3;
        const mood = uniform(mix(states[row], id)) ** 3;
        logits[index * TOY_VOCAB + id] = sharpness * ((1 - sway) * habit + sway * mood);
      }
    });
    return logits;
  }

  retain(live: readonly KvRef[]): void {
    const keep = new Set(live.map(({ position, version }) => `${position}:${version}`));
    for (const key of this.kv.keys()) if (!keep.has(key)) this.kv.delete(key);
  }

  readKv(ref: KvRef): { readonly k: readonly Float32Array[]; readonly v: readonly Float32Array[] } {
    const entry = this.kv.get(`${ref.position}:${ref.version}`);
    if (entry === undefined) throw new CheckError(`no KV entry ${ref.position} version ${ref.version}`);
    return { k: [Float32Array.of(entry)], v: [Float32Array.of(entry)] };
  }

  dispose(): void {
    this.kv.clear();
  }
}
