import { type Command, Option } from 'commander';
import type { ChosenProblems } from '../experiments/lab/problems.js';
import {
  DEVICE_BACKENDS,
  DEVICE_NUMERICS,
  type DeviceBackend,
  type DeviceNumerics,
  HEAD_PLACES,
  type HeadPlace,
  KV_FORMATS,
  type KvFormat,
  PERFORMANCE_MODES,
  type PerformanceMode,
} from '../hw/choices.js';
import type { Calibration } from '../hw/graph/calibration.js';
import type { DeviceSession } from '../hw/session/device-session.js';
import type { Context } from './io.js';
import { integer } from './numbers.js';
import { progressBar } from './progress.js';

/** What runs the step graph in process, and how; shared by every command that does. */
export interface DeviceOptions {
  readonly backend: DeviceBackend;
  readonly numerics: DeviceNumerics;
  readonly socModel?: number;
  readonly performanceMode?: PerformanceMode;
  readonly calibrationProblems: number;
  readonly head: HeadPlace;
  readonly kv: KvFormat;
  readonly contexts?: string;
  readonly embedContexts?: boolean;
  readonly timeout: number;
}

/**
 * An activation beyond the calibrated range is clipped: with 4 problems the largest logit error of tiny-llada in W8A16 is
 * 1.6, with 24 it is 0.5 (held-out problem 0, policy llada.cpp).
 */
const DEFAULT_CALIBRATION_PROBLEMS = 16;

export function addDeviceOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--backend <name>', "device engine: ONNX Runtime's CPU, QNN's reference code, QNN's HTP")
        .choices(DEVICE_BACKENDS)
        .default('ort-cpu'),
    )
    .addOption(
      new Option('--numerics <format>', 'how its graph computes').choices(DEVICE_NUMERICS).default('f32'),
    )
    .option(
      '--soc-model <id>',
      'SoC that QNN compiles for; needed for f16 off a device (8 Elite: 69)',
      integer(1),
    )
    .addOption(
      new Option('--performance-mode <name>', 'how a device clocks its NPU (htp)').choices(PERFORMANCE_MODES),
    )
    .option(
      '--calibration-problems <n>',
      'training problems that w8a16 and w4a16 are calibrated on',
      integer(1),
      DEFAULT_CALIBRATION_PROBLEMS,
    )
    .addOption(
      new Option('--head <place>', "where logits are made: in the graph, or by the reference's CPU code")
        .choices(HEAD_PLACES)
        .default('graph'),
    )
    .addOption(
      new Option('--kv <format>', 'type of K and V on their way in and out of the graph')
        .choices(KV_FORMATS)
        .default('f32'),
    )
    .option('--contexts <dir>', 'keep compiled graphs here and use those that are there (htp)')
    .option('--embed-contexts', 'keep them inside the .onnx file')
    .option('--timeout <s>', 'longest time to compile a graph, and to run it', integer(1), 300);
}

/** Where the libraries of QNN's backends are looked for, for the help of a command. */
export const LIBRARIES_HELP =
  'QNN backends take their libraries from QNN_EP_DIR, else from what `device fetch` fetched.';

/**
 * The engine that was asked for, calibrated on training problems where its format needs ranges.
 * @throws DeviceError when a library is missing
 */
export async function openDevice(
  ctx: Context,
  chosen: ChosenProblems,
  options: DeviceOptions & { readonly genLength: number; readonly seed: number },
): Promise<DeviceSession> {
  const { DeviceSession } = await import('../hw/session/device-session.js');
  const { BACKEND_LIBRARIES, findLibraries } = await import('../hw/qnn/find-libraries.js');
  const { cacheDirectory } = await import('../src/util/cache-directory.js');
  const { backend, numerics, socModel, performanceMode, head, kv, contexts, embedContexts, timeout } =
    options;
  const { env } = ctx.io;
  const library = BACKEND_LIBRARIES[backend === 'htp' ? 'htp' : 'cpu'];
  const qnnDirectory =
    backend === 'ort-cpu' ? undefined : await findLibraries(env, cacheDirectory(env), library);
  const calibration = await calibrated(ctx, chosen, options);
  return new DeviceSession({
    backend,
    numerics,
    head,
    kv,
    model: chosen.model,
    timeoutMs: timeout * 1000,
    qnnDirectory,
    socModel,
    performanceMode,
    calibration: calibration ?? undefined,
    contexts: contexts === undefined ? undefined : { directory: contexts, embed: embedContexts ?? false },
  });
}

/** Ranges of the activations, from problems that the model was trained on; null for floats. */
async function calibrated(
  ctx: Context,
  { model, spec }: ChosenProblems,
  {
    numerics,
    calibrationProblems,
    seed,
    genLength,
  }: DeviceOptions & { readonly genLength: number; readonly seed: number },
): Promise<Calibration | null> {
  if (numerics === 'f32' || numerics === 'f16') return null;
  const { calibrate } = await import('../hw/graph/calibrate.js');
  const { composePolicy } = await import('../src/decode/method/compose.js');
  const { encodePrompt } = await import('../src/model/prompt.js');
  const { generateProblem } = await import('../src/score/problems.js');
  const bar = progressBar(ctx, 'problems for calibration');
  const prompts = Array.from({ length: calibrationProblems }, (_, index) =>
    encodePrompt(model.tokenizer, generateProblem(seed, index, 'long', 'train').prompt),
  );
  return calibrate(model, {
    policy: composePolicy(spec),
    prompts,
    genLength,
    signal: ctx.signal,
    onProgress: (done, total) => bar.update(done, total),
  }).finally(() => bar.stop());
}
