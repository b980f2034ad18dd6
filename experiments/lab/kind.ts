import type { z } from 'zod';
import type { Lab } from './lab.js';

/** A flat row of numbers: names carry units, `.` groups them, null is absent knowledge. */
export type Metrics = Readonly<Record<string, number | null>>;

export interface RunResult {
  /** What `results export` makes columns of. */
  readonly metrics: Metrics;
  /** Anything else worth keeping, as plain JSON: samples, series. */
  readonly detail?: unknown;
}

/**
 * One kind of run that can be repeated and found again. A run is a pure function of its configuration and the files
 * named by `inputs`: same configuration, same files, same code, same bytes.
 */
export interface RunKind<Config = unknown> {
  readonly name: string;
  readonly description: string;
  /** Metrics that a list of runs shows. */
  readonly main: readonly string[];
  /** Strict, with defaults: what comes out is the resolved configuration that is hashed. */
  readonly config: z.ZodType<Config>;
  /**
   * SHA-256 of every file a run depends on, by what it is, e.g. `profile sm8750`. Also the place to refuse what
   * can be refused without running.
   * @throws UsageError for unknown names
   */
  inputs(config: Config): Promise<Readonly<Record<string, string>>>;
  /** Runs with equal text share work, so they are made one after the other in one thread. Absent: none do. */
  sharing?(config: Config): string;
  /**
   * Computes the run.
   * @param lab what the thread has open
   * @throws UsageError when the combination cannot run; the run is then recorded as refused, with the reason
   */
  run(config: Config, lab: Lab, signal?: AbortSignal): Promise<RunResult>;
}

/** Keeps the configuration's type inside the definition; the registry only sees `RunKind`. */
export function defineKind<Config>(kind: RunKind<Config>): RunKind {
  return kind as RunKind;
}
