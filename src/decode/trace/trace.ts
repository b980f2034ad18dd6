import { existsSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { z } from 'zod';
import { DataError } from '../../errors.js';
import { atomicWriteFile } from '../../util/atomic-write.js';
import { plainJson } from '../../util/plain-json.js';
import { readBytes } from '../../util/read-file.js';
import { checkLaws } from '../laws/check.js';
import type { Violation } from '../laws/law.js';
import { composePolicy } from '../method/compose.js';
import { shownBy } from '../method/fits.js';
import type { DecodeOptions, DecodeResult } from '../method/session.js';
import type { StepRecord } from '../method/step-record.js';
import type { StepTimer, StepTimes } from '../method/timer.js';
import { lawsGivenUp } from '../parts.js';
import {
  decodeStep,
  encodeStep,
  TRACE_SCHEMA,
  type TraceEnd,
  type TraceHeader,
  traceEndSchema,
  traceHeaderSchema,
  traceStepSchema,
} from './schema.js';

/** A recorded decode: what was asked for, every step, and the tokens it ended with. */
export interface Trace {
  /** What was asked for. */
  readonly header: TraceHeader;
  /** Every step, in order. */
  readonly steps: readonly StepRecord[];
  /** The generated tokens. */
  readonly tokens: readonly number[];
}

/**
 * Trace of a finished decode.
 * @param extra what the decode itself does not know: hash of the weights, seed of the prompt
 */
export function traceOf(
  options: Pick<DecodeOptions, 'policy' | 'engine' | 'promptIds' | 'genLength' | 'given' | 'timer'>,
  result: Pick<DecodeResult, 'steps' | 'tokens' | 'canvas'>,
  extra: { readonly modelHash?: string; readonly seed?: number } = {},
): Trace {
  const { policy, engine, promptIds, genLength, given, timer } = options;
  const { endIds } = engine.config;
  return {
    header: {
      type: 'header',
      schema: TRACE_SCHEMA,
      policy: policy.spec,
      model: { name: engine.config.name, hash: extra.modelHash ?? null },
      promptIds: [...promptIds],
      genLength,
      given: given === undefined ? undefined : [...given],
      maskId: result.canvas.maskId,
      eosId: endIds.length === 1 ? endIds[0] : [...endIds],
      seed: extra.seed ?? null,
      engine: engine.name,
      timer: timer?.name ?? null,
    },
    steps: result.steps,
    tokens: result.tokens,
  };
}

/** JSON Lines: header, one line per step, end. */
export function formatTrace(trace: Trace): string {
  const end: TraceEnd = { type: 'end', steps: trace.steps.length, tokens: [...trace.tokens] };
  return [trace.header, ...trace.steps.map(encodeStep), end]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');
}

/** Traces above this size, in bytes, are compressed. */
export const GZIP_ABOVE = 4 * 2 ** 20;

/**
 * Writes a trace; an interrupted write leaves nothing. One that is large, or whose name ends in `.gz`, is compressed.
 * @returns the file, which has got `.gz` at its end if it was compressed
 * @throws EnvironmentError
 */
export function writeTrace(path: string, trace: Trace, gzipAbove = GZIP_ABOVE): string {
  const text = formatTrace(trace);
  const named = path.endsWith('.gz');
  if (!named && text.length <= gzipAbove) {
    atomicWriteFile(path, text);
    return path;
  }
  const compressed = named ? path : `${path}.gz`;
  atomicWriteFile(compressed, gzipSync(text));
  return compressed;
}

function parseLine<T>(schema: z.ZodType<T>, text: string, where: string): T {
  let json: unknown;
  try {
    json = plainJson(text);
  } catch {
    throw new DataError(`${where}: not JSON`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new DataError(`${where}: ${issue.path.join('.') || 'line'}: ${issue.message}`);
}

/**
 * Parses a trace.
 * @param source name for messages
 * @throws DataError naming the line that is damaged, missing or out of order
 */
export function parseTrace(text: string, source = 'trace'): Trace {
  const lines = text.split('\n').filter((line) => line !== '');
  const header = parseLine(traceHeaderSchema, lines[0] ?? '', `${source}:1`);
  if (!lines.at(-1)?.startsWith('{"type":"end"')) {
    throw new DataError(`${source}: cut off, the end line is missing`);
  }
  const end = parseLine(traceEndSchema, lines.at(-1) ?? '', `${source}:${lines.length}`);
  const steps = lines.slice(1, -1).map((line, index) => {
    const where = `${source}:${index + 2}`;
    const step = parseLine(traceStepSchema, line, where);
    if (step.step !== index) throw new DataError(`${where}: step ${step.step} where step ${index} belongs`);
    return decodeStep(step);
  });
  if (end.steps !== steps.length) {
    throw new DataError(`${source}: ${steps.length} steps, the end line says ${end.steps}`);
  }
  if (end.tokens.length !== header.genLength) {
    throw new DataError(
      `${source}: ${end.tokens.length} tokens for a generation length of ${header.genLength}`,
    );
  }
  return { header, steps, tokens: end.tokens };
}

/**
 * Reads a trace, compressed or not; `run.jsonl` finds `run.jsonl.gz` too.
 * @throws EnvironmentError when it cannot be read; DataError when it is no trace
 */
export function readTrace(path: string): Trace {
  const file = !existsSync(path) && existsSync(`${path}.gz`) ? `${path}.gz` : path;
  const bytes = readBytes(file);
  const compressed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return parseTrace((compressed ? unzip(bytes, file) : bytes).toString('utf8'), path);
}

function unzip(bytes: Buffer, path: string): Buffer {
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw new DataError(`${path}: not whole: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A recorded decode, timed anew. */
export interface Replay<T extends StepTimes> {
  /** Of each step. */
  readonly timings: readonly T[];
  /** End of the last step. */
  readonly totalMs: number;
  /**
   * First step at which another set of refreshes would have been finished, so that a live decode on this machine
   * could have gone another way; null when the recorded plans are exactly what it would have run.
   */
  readonly divergesAt: number | null;
}

/**
 * Times a recorded decode on another machine, in simulated ms. No engine runs.
 * @throws what the timer throws: of a machine, UsageError when the model does not fit its address window
 */
export function replayTrace<T extends StepTimes>(
  trace: { readonly steps: readonly Pick<StepRecord, 'plan' | 'landed'>[] },
  timer: StepTimer<T>,
): Replay<T> {
  const timings = trace.steps.map((step) => timer.time(step.plan));
  const differs = trace.steps.findIndex((step, index) => {
    const now = new Set(timings[index].completed);
    return now.size !== step.landed.length || step.landed.some((id) => !now.has(id));
  });
  return { timings, totalMs: timings.at(-1)?.endMs ?? 0, divergesAt: differs < 0 ? null : differs };
}

/**
 * Checks the decoding laws on a trace. Empty when all hold.
 * @throws UsageError when its policy contradicts itself
 */
export function checkTrace(trace: Trace): Violation[] {
  const { policy: spec, promptIds, genLength, maskId, given, eosId } = trace.header;
  const policy = composePolicy(spec);
  return checkLaws(
    {
      start: policy.start(promptIds, genLength, maskId, { endIds: [eosId].flat(), given }),
      stepBudget: policy.stepBudget(genLength),
      givenUp: lawsGivenUp(spec).map(({ part }) => part),
      // It does not say what its model was trained to see, but of every model that takes the policy that is at least this.
      trained: shownBy(spec),
    },
    trace.steps,
  );
}
