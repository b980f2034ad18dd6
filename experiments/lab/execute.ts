import { EnvironmentError, UsageError } from '../../src/errors.js';
import type { RunResult } from './kind.js';
import { kindByName } from './kinds/registry.js';
import type { Lab } from './lab.js';

/** An outcome that is a result: the run need never be made again. */
export type Kept =
  | { readonly seconds: number; readonly outcome: 'done'; readonly result: RunResult }
  | { readonly seconds: number; readonly outcome: 'refused'; readonly reason: string };

/** What became of one run. Plain data: it crosses threads, where error classes do not survive. */
export type Execution =
  | Kept
  | { readonly seconds: number; readonly outcome: 'environment' | 'failed'; readonly reason: string };

/** Computes one run in this thread. Never throws, except when aborted. */
export async function execute(
  kind: string,
  config: unknown,
  lab: Lab,
  signal?: AbortSignal,
): Promise<Execution> {
  const start = performance.now();
  const seconds = (): number => (performance.now() - start) / 1000;
  try {
    const result = await (await kindByName(kind)).run(config, lab, signal);
    return { seconds: seconds(), outcome: 'done', result };
  } catch (error) {
    signal?.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    if (error instanceof UsageError) return { seconds: seconds(), outcome: 'refused', reason };
    const outcome = error instanceof EnvironmentError ? 'environment' : 'failed';
    return { seconds: seconds(), outcome, reason };
  }
}
