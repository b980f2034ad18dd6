import type { z } from 'zod';

/** A flat row of numbers: names carry units, `.` groups them, null is absent knowledge. */
export type Metrics = Readonly<Record<string, number | null>>;

export interface RunResult {
  /** What `results export` makes columns of. */
  readonly metrics: Metrics;
  /** Anything else worth keeping, as plain JSON: samples, series. */
  readonly detail?: unknown;
}

/**
 * One kind of run that a sweep can repeat. A run is a pure function of its configuration and the files named by
 * `inputs`: same configuration, same files, same code, same bytes.
 */
export interface RunKind<Config = unknown> {
  readonly name: string;
  readonly description: string;
  /** Strict, with defaults: what comes out is the resolved configuration that is hashed. */
  readonly config: z.ZodType<Config>;
  /**
   * SHA-256 of every file a run depends on, by what it is, e.g. `profile sm8750`. Also the place to refuse what
   * can be refused without running.
   * @throws UsageError for unknown names
   */
  inputs(config: Config): Promise<Readonly<Record<string, string>>>;
  /**
   * Computes the run. Called many times in one thread: what is dear to open is kept between calls.
   * @throws UsageError when the combination cannot run; the run is then recorded as refused, with the reason
   */
  run(config: Config, signal?: AbortSignal): Promise<RunResult>;
  /** Gives back what `run` has kept open in this thread. */
  close?(): Promise<void>;
}

/** Keeps the configuration's type inside the definition; the registry only sees `RunKind`. */
export function defineKind<Config>(kind: RunKind<Config>): RunKind {
  return kind as RunKind;
}
