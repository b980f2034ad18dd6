import type { Engine, PassResult } from '../../../../src/engine/engine.js';
import { CheckError } from '../../../../src/errors.js';
import type { ModelConfig } from '../../../../src/model/config.js';
import { LLADA } from '../../../../src/model/families/llada.js';
import { logicalPasses } from '../../../../src/pass/groups.js';
import type { KvRef, Pass } from '../../../../src/pass/pass.js';
import {
  confidenceOf,
  contextOf,
  type Latent,
  latentAt,
  type ProcessParameters,
  RIGHT,
  type Surroundings,
} from './process.js';

/** Small, so that scoring a row costs little; the least confidence of a best token is one over the ordinary ids. */
const VOCAB = 64;
const MASK = VOCAB - 1;
const EOS = VOCAB - 2;
/** Ids of ordinary tokens are 0 .. TOKENS - 1. */
export const TOKENS = VOCAB - 2;
/** Least confidence of a best token. */
export const FLOOR = 1 / (VOCAB - 1);

/** Share of the probability that the best token leaves which goes to the runner-up (assumed). */
const RUNNER_UP = 0.5;

export const SYNTHETIC_CONFIG: ModelConfig = {
  name: 'synthetic',
  arch: LLADA.name,
  layers: 1,
  hidden: 1,
  heads: 1,
  kvHeads: 1,
  headDim: 1,
  ffn: 1,
  vocab: VOCAB,
  ropeTheta: 10_000,
  rmsEps: 1e-5,
  qkvBias: false,
  qkNorm: false,
  tiedHead: false,
  shiftLogits: false,
  attention: 'bidirectional',
  contextLength: 1 << 20,
  maskId: MASK,
  bosId: null,
  endIds: [EOS],
};

export interface SyntheticCase {
  readonly seed: number;
  readonly promptLength: number;
  /** Positions of text after the prompt; what follows is end of text. */
  readonly textLength: number;
}

/** Where the text begins in the streams of random numbers. */
const TEXT_ORIGIN = 80;

/** Place of a position in the streams of random numbers: a longer prompt changes nothing about the text. */
export function streamAt(position: number, promptLength: number): number {
  return position - promptLength + TEXT_ORIGIN;
}

/**
 * The confidence process as an engine: the same session, policies and rules decode it as any model. A cached entry
 * holds one number, the context weight of what its row was fed; that an entry grows stale is not modelled.
 */
export class SyntheticEngine implements Engine {
  readonly name = 'synthetic';
  readonly config = SYNTHETIC_CONFIG;
  private readonly weights = new Map<string, number>();
  private readonly latents = new Map<number, Latent>();

  constructor(
    private readonly parameters: ProcessParameters,
    private readonly of: SyntheticCase,
  ) {}

  run(pass: Pass): Promise<PassResult> {
    const logits = new Float32Array(pass.logits.length * VOCAB);
    let at = 0;
    for (const part of logicalPasses(pass)) at = this.runPart(part, logits, at);
    return Promise.resolve({ logits });
  }

  retain(live: readonly KvRef[]): void {
    const keep = new Set(live.map(keyOf));
    for (const key of this.weights.keys()) if (!keep.has(key)) this.weights.delete(key);
  }

  readKv(ref: KvRef): { readonly k: readonly Float32Array[]; readonly v: readonly Float32Array[] } {
    const weight = Float32Array.of(this.entry(ref));
    return { k: [weight], v: [weight] };
  }

  dispose(): void {
    this.weights.clear();
  }

  /** @returns offset behind the last logits written */
  private runPart(pass: Pass, logits: Float32Array, start: number): number {
    const read = pass.reads.map((ref): [number, number] => [ref.position, this.entry(ref)]);
    const own = pass.rows.map(({ position, feed }): [number, number] => [
      position,
      this.weightOf(position, feed),
    ]);
    const shared = pass.visibility === 'all' || pass.visibility === 'shadow';
    const whole = shared ? this.context([...read, ...own]) : null;
    let at = start;
    for (const index of pass.logits) {
      const row = pass.rows[index];
      if (row === undefined) throw new CheckError(`pass ${pass.id} asks for logits of row ${index}`);
      const last = row.position;
      const seen =
        pass.visibility === 'ordered'
          ? own.slice(0, index + 1)
          : own.filter(([position]) => (pass.visibility === 'causal' ? position <= last : position === last));
      this.write(logits, at, row.position, row.feed !== MASK, whole ?? this.context([...read, ...seen]));
      at += VOCAB;
    }
    own.forEach(([position, weight]) => {
      this.weights.set(keyOf({ position, version: pass.version }), weight);
    });
    return at;
  }

  /** Positions in between that are not seen count as masked. */
  private context(seen: readonly (readonly [number, number])[]): Surroundings {
    const weights = new Float64Array(seen.reduce((most, [position]) => Math.max(most, position), -1) + 1);
    for (const [position, weight] of seen) weights[position] = weight;
    return contextOf(weights, this.parameters.densityScale);
  }

  private weightOf(position: number, feed: number): number {
    const { promptLength, textLength } = this.of;
    if (feed === MASK) return 0;
    if (position < promptLength) return RIGHT;
    const right = position >= promptLength + textLength ? EOS : this.latent(position).truth;
    return feed === right ? RIGHT : this.parameters.wrongWeight;
  }

  private write(
    logits: Float32Array,
    at: number,
    position: number,
    fed: boolean,
    context: Surroundings,
  ): void {
    const { promptLength, textLength } = this.of;
    const latent = this.latent(position);
    const afterEnd = position >= promptLength + textLength;
    const gap = context.gap[position] ?? 0;
    const density = context.density[position] ?? 0;
    const confidence = confidenceOf(this.parameters, latent, { gap, density, afterEnd, fed }, FLOOR);
    const settled = confidence >= latent.settledAt;
    const best = afterEnd ? EOS : settled ? latent.truth : latent.other;
    const second = afterEnd ? latent.truth : settled ? latent.other : latent.truth;
    const runnerUp = Math.min(RUNNER_UP * (1 - confidence), 0.95 * confidence);
    logits.fill(Math.log((1 - confidence - runnerUp) / (VOCAB - 3)), at, at + VOCAB);
    logits[at + best] = Math.log(confidence);
    logits[at + second] = Math.log(runnerUp);
    logits[at + MASK] = Number.NEGATIVE_INFINITY;
  }

  private latent(position: number): Latent {
    let latent = this.latents.get(position);
    if (latent === undefined) {
      latent = latentAt(this.of.seed, streamAt(position, this.of.promptLength), TOKENS);
      this.latents.set(position, latent);
    }
    return latent;
  }

  private entry(ref: KvRef): number {
    const weight = this.weights.get(keyOf(ref));
    if (weight === undefined) throw new CheckError(`no KV entry ${ref.position} version ${ref.version}`);
    return weight;
  }
}

function keyOf({ position, version }: KvRef): string {
  return `${position}:${version}`;
}
