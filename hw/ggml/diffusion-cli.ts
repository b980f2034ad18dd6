import { z } from 'zod';
import { DataError } from '../../src/errors.js';
import { DIFFUSION_ALGORITHMS } from '../choices.js';
import { toolOptions } from '../tool-options.js';
import { logLines } from './log-text.js';

const optionsSchema = z
  .strictObject({
    model: z.string().min(1),
    prompt: z.string(),
    /** Prompt and answer together: the tool denoises one batch of this many positions. */
    length: z.int().min(1),
    steps: z.int().min(1),
    algorithm: z.enum(DIFFUSION_ALGORITHMS).default('confidence'),
    /** Dream's schedule. */
    eps: z.number().positive().max(1).optional(),
    /** LLaDA's schedule; divides `length`. */
    blockLength: z.int().min(1).optional(),
    temperature: z.number().min(0).default(0),
    seed: z.int().min(0).default(0),
    threads: z.int().min(1).optional(),
  })
  .refine(({ eps, blockLength }) => (eps === undefined) !== (blockLength === undefined), {
    message: 'give either eps (Dream) or blockLength (LLaDA)',
  })
  .refine(({ length, blockLength }) => blockLength === undefined || length % blockLength === 0, {
    message: 'blockLength must divide length',
  });

export type DiffusionOptions = z.input<typeof optionsSchema>;

/**
 * Arguments of llama-diffusion-cli.
 * @param device backend device: `HTP0`, or `none` for the CPU
 * @throws UsageError naming the option
 */
export function diffusionArgs(options: DiffusionOptions, device: string): string[] {
  const { model, prompt, length, steps, algorithm, eps, blockLength, temperature, seed, threads } =
    toolOptions('llama-diffusion-cli', optionsSchema, options);
  return [
    '-m',
    model,
    '-p',
    prompt,
    '-ub',
    String(length),
    '-b',
    String(length),
    '-c',
    String(length),
    '--diffusion-steps',
    String(steps),
    '--diffusion-algorithm',
    String(DIFFUSION_ALGORITHMS.indexOf(algorithm)),
    ...(eps === undefined ? [] : ['--diffusion-eps', String(eps)]),
    ...(blockLength === undefined ? [] : ['--diffusion-block-length', String(blockLength)]),
    '--temp',
    String(temperature),
    '--seed',
    String(seed),
    ...(threads === undefined ? [] : ['-t', String(threads)]),
    ...deviceArgs(device),
    // The answer is a message of the log in most versions: with prefixes it can be told from the others.
    '--log-prefix',
    '--log-timestamps',
    '-v',
  ];
}

/** Everything on the device, or nothing. */
export function deviceArgs(device: string): string[] {
  return device === 'none' ? ['--device', 'none', '-ngl', '0'] : ['--device', device, '-ngl', '99'];
}

/** Start of a message, e.g. `0.12.345.678 I `. */
const MESSAGE = /^\d+\.\d\d\.\d{3}\.\d{3} [A-Z] /;

/**
 * The text that llama-diffusion-cli generated: its standard output where it has any, else the message behind that with
 * the time (source: examples/diffusion/diffusion-cli.cpp and common/log.cpp, October 2026).
 */
export function parseDiffusionText(stdout: string, stderr: string): string {
  const own = stdout.replace(/^(total time|throughput): .*$/gm, '').trim();
  if (own !== '') return own;
  const lines = logLines(stderr);
  const timed = lines.findIndex((line) => TIMING.test(line));
  if (timed < 0) return '';
  const [first = '', ...rest] = lines.slice(timed + 1);
  const end = rest.findIndex((line) => MESSAGE.test(line));
  const text = end < 0 ? rest : rest.slice(0, end);
  return [first.replace(MESSAGE, ''), ...text].join('\n').trim();
}

export interface DiffusionTiming {
  readonly totalMs: number;
  readonly stepMs: number;
  /** Null where the tool does not tell it apart. */
  readonly samplingStepMs: number | null;
  /** Steps that were run; null where the tool divides by those that were asked for. */
  readonly steps: number | null;
}

const TIMING =
  /total time: ([\d.]+)ms, (?:steps: (\d+), )?time per step: ([\d.]+)ms(?:, sampling time per step: ([\d.]+)ms| \((\d+) steps)/;

/**
 * Time of a run, from what llama-diffusion-cli prints at its end.
 * @throws DataError when there is no such line: the run did not end, or the tool changed
 */
export function parseDiffusionTiming(output: string): DiffusionTiming {
  const match = TIMING.exec(output);
  if (match === null) {
    throw new DataError(
      'llama-diffusion-cli printed no "total time: ...ms, time per step: ...ms": it did not finish a generation',
    );
  }
  const [, total, steps, step, sampling, counted] = match;
  return {
    totalMs: Number(total),
    stepMs: Number(step),
    samplingStepMs: sampling === undefined ? null : Number(sampling),
    steps: steps === undefined && counted === undefined ? null : Number(steps ?? counted),
  };
}
