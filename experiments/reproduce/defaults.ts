import { ABLATION_DEFAULTS } from '../ablation/options.js';

/** What a reproduction depends on. */
export interface BenchOptions {
  /** Model that makes the decisions. */
  readonly model: string;
  /** Model whose shapes are timed. */
  readonly costModel: string;
  readonly quant: 'f32' | 'f16' | 'q8_0' | 'q4_0';
  readonly profile: string;
  /** Problems 0 .. prompts - 1 of the held-out long set of `seed`. */
  readonly prompts: number;
  readonly seed: number;
  readonly genLength: number;
  /** Ladder result to take Table 6 from; null: one that matches, or a new run. */
  readonly summary: string | null;
}

export const BENCH_DEFAULTS: BenchOptions = {
  model: ABLATION_DEFAULTS.model,
  costModel: ABLATION_DEFAULTS.costModel,
  quant: ABLATION_DEFAULTS.quant,
  profile: ABLATION_DEFAULTS.profile,
  // As many as the paper's latency experiments have cases.
  prompts: 5,
  seed: ABLATION_DEFAULTS.seed,
  genLength: ABLATION_DEFAULTS.genLength,
  summary: null,
};
