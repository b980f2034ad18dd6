import { ABLATION_DEFAULTS } from '../studies/ladder/options.js';

/** What a reproduction depends on. */
export interface BenchOptions {
  /** Who decides, as on the command line; null: each experiment's own default. */
  readonly workload: string | null;
  /** Model whose shapes are timed. */
  readonly costModel: string;
  readonly quant: 'f32' | 'f16' | 'q8_0' | 'q4_0';
  readonly profile: string;
  /** Cases; null: as many as the workload has by default. */
  readonly prompts: number | null;
  /** Of the problems or of the process. */
  readonly seed: number;
  readonly genLength: number;
}

export const BENCH_DEFAULTS: BenchOptions = {
  workload: null,
  costModel: ABLATION_DEFAULTS.costModel,
  quant: ABLATION_DEFAULTS.quant,
  profile: ABLATION_DEFAULTS.profile,
  prompts: null,
  seed: ABLATION_DEFAULTS.seed,
  genLength: ABLATION_DEFAULTS.genLength,
};
