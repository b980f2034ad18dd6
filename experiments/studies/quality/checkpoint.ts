import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { PolicySpecInput } from '../../../src/decode/spec.js';
import { EnvironmentError } from '../../../src/errors.js';
import type { QualityOptions } from './options.js';
import type { PolicyOutcome } from './problem-job.js';

interface Line {
  readonly key: string;
  readonly index: number;
  readonly outcome: PolicyOutcome;
}

/** Finished decodes of a long table, one JSON line each: a table that was cut off continues where it stopped. */
export interface Checkpoint {
  get(policy: number, index: number): PolicyOutcome | undefined;
  add(policy: number, index: number, outcome: PolicyOutcome): void;
}

/** What an outcome depends on besides its problem's index; names and descriptions do not count. */
export function outcomeKey(
  spec: PolicySpecInput,
  options: Pick<QualityOptions, 'engine' | 'seed' | 'genLength' | 'blockLength'>,
  modelSha256: string,
): string {
  const { name: _, description: __, source: ___, ...rules } = spec;
  const { engine, seed, genLength, blockLength } = options;
  const parts = JSON.stringify([rules, engine, seed, genLength, blockLength, modelSha256]);
  return createHash('sha256').update(parts).digest('hex').slice(0, 16);
}

/**
 * @param keys key of every policy of the table
 * @throws EnvironmentError when the file cannot be read or written
 */
export function openCheckpoint(path: string, keys: readonly string[]): Checkpoint {
  const known = new Map<string, PolicyOutcome>();
  try {
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    for (const line of text.split('\n')) {
      const parsed = parseLine(line);
      if (parsed !== null) known.set(`${parsed.key}:${parsed.index}`, parsed.outcome);
    }
    // What a kill cut off must not swallow the next line.
    if (text !== '' && !text.endsWith('\n')) appendFileSync(path, '\n');
  } catch (error) {
    throw new EnvironmentError(
      `checkpoint ${path}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return {
    get: (policy, index) => known.get(`${keys[policy]}:${index}`),
    add(policy, index, outcome) {
      known.set(`${keys[policy]}:${index}`, outcome);
      const line: Line = { key: keys[policy], index, outcome };
      appendFileSync(path, `${JSON.stringify(line)}\n`);
    },
  };
}

function parseLine(line: string): Line | null {
  if (line === '') return null;
  try {
    return JSON.parse(line) as Line;
  } catch {
    // The last line of a run that was killed.
    return null;
  }
}
