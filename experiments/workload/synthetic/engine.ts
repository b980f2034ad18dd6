import { logicalPasses } from '../../../src/decode/pass-groups.js';
import type { KvRef, Pass } from '../../../src/decode/types.js';
import type { Engine, PassResult } from '../../../src/engine/engine.js';
import { CheckError } from '../../../src/errors.js';
import type { ModelConfig } from '../../../src/model/config.js';
import {
  confidenceOf,
  densities,
  gaps,
  type Latent,
  latentAt,
  noiseAt,
  type ProcessParameters,
} from './process.js';

/** Small, so that scoring a row costs little; the least confidence of a best token is one over the ordinary ids. */
const VOCAB = 64;
const MASK = VOCAB - 1;
const EOS = VOCAB - 2;
/** Ids of ordinary tokens are 0 .. TOKENS - 1. */
const TOKENS = VOCAB - 2;

/** Share of the probability that the best token leaves which goes to the runner-up (assumed). */
const RUNNER_UP = 0.5;

export const SYNTHETIC_CONFIG: ModelConfig = {
  ...{ name: 'synthetic', arch: 'llada', layers: 1, hidden: 1, heads: 1, kvHeads: 1, headDim: 1, ffn: 1 },
  ...{ vocab: VOCAB, ropeTheta: 10_000, rmsEps: 1e-5, qkvBias: false, qkNorm: false, tiedHead: false },
  ...{ shiftLogits: false, attention: 'bidirectional', contextLength: 1 << 20 },
  ...{ maskId: MASK, bosId: null, eosId: EOS },
};

export interface SyntheticCase {
  readonly seed: number;
  readonly promptLength: number;
  /** Positions of text after the prompt; what follows is end of text. */
  readonly textLength: number;
}

/**
 * The confidence process as an engine: the same session, policies and rules decode it as any model. A cached entry
 * holds one bit, whether its row was fed a concrete token; that an entry grows stale is not modelled.
 */
export class SyntheticEngine implements Engine {
  readonly name = 'synthetic';
  readonly config = SYNTHETIC_CONFIG;
  private readonly known = new Map<string, boolean>();
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
    for (const key of this.known.keys()) if (!keep.has(key)) this.known.delete(key);
  }

  readKv(ref: KvRef): { readonly k: readonly Float32Array[]; readonly v: readonly Float32Array[] } {
    const known = Float32Array.of(Number(this.entry(ref)));
    return { k: [known], v: [known] };
  }

  dispose(): void {
    this.known.clear();
  }

  /** @returns offset behind the last logits written */
  private runPart(pass: Pass, logits: Float32Array, start: number): number {
    const read = new Set<number>();
    for (const ref of pass.reads) if (this.entry(ref)) read.add(ref.position);
    const own = pass.rows.flatMap(({ position, feed }) => (feed === MASK ? [] : [position]));
    const shared = pass.visibility === 'all' || pass.visibility === 'shadow';
    const view = shared ? viewOf(read, own, this.parameters.densityScale) : null;
    let at = start;
    for (const index of pass.logits) {
      const row = pass.rows[index];
      if (row === undefined) throw new CheckError(`pass ${pass.id} asks for logits of row ${index}`);
      const seen =
        view ??
        viewOf(
          read,
          pass.visibility === 'causal' ? own.filter((position) => position <= row.position) : [],
          this.parameters.densityScale,
        );
      this.write(logits, at, row.position, row.feed !== MASK, seen);
      at += VOCAB;
    }
    for (const { position, feed } of pass.rows) {
      this.known.set(keyOf({ position, version: pass.version }), feed !== MASK);
    }
    return at;
  }

  private write(logits: Float32Array, at: number, position: number, fed: boolean, view: View): void {
    const { seed, promptLength, textLength } = this.of;
    const latent = this.latent(position);
    const afterEnd = position >= promptLength + textLength;
    const known = view.count;
    const row = {
      gap: view.gap(position),
      density: view.density(position),
      ...{ known, afterEnd, fed },
    };
    const confidence = confidenceOf(
      this.parameters,
      latent,
      row,
      noiseAt(seed, position, known),
      1 / (VOCAB - 1),
    );
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
      latent = latentAt(this.of.seed, position, this.parameters.easyShare, TOKENS);
      this.latents.set(position, latent);
    }
    return latent;
  }

  private entry(ref: KvRef): boolean {
    const known = this.known.get(keyOf(ref));
    if (known === undefined) throw new CheckError(`no KV entry ${ref.position} version ${ref.version}`);
    return known;
  }
}

function keyOf({ position, version }: KvRef): string {
  return `${position}:${version}`;
}

interface View {
  readonly count: number;
  gap(position: number): number;
  density(position: number): number;
}

/** Everything behind the last known position is unknown. */
function viewOf(read: ReadonlySet<number>, own: readonly number[], scale: number): View {
  const last = Math.max(-1, ...read, ...own);
  // One behind it, from where gap and density follow by formula.
  const known = new Array<boolean>(last + 2).fill(false);
  for (const position of read) known[position] = true;
  for (const position of own) known[position] = true;
  const gap = gaps(known);
  const density = densities(known, scale);
  return {
    count: known.filter(Boolean).length,
    gap: (position) => gap[position] ?? position - last - 1,
    density: (position) =>
      density[position] ?? (density[last + 1] ?? 0) * Math.exp((last + 1 - position) / scale),
  };
}
