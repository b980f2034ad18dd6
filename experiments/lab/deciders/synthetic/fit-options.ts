export interface FitOptions {
  /** Of the cases and of the starting points. */
  readonly seed: number;
  readonly cases: number;
  readonly genLength: number;
  /** Decodes of the eight thresholds with all cases, over all starts. */
  readonly evaluations: number;
  /** Starting points; the best end counts. */
  readonly starts: number;
}

export const FIT_DEFAULTS: FitOptions = {
  seed: 101,
  cases: 40,
  genLength: 128,
  evaluations: 1800,
  starts: 3,
};
