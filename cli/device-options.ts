import { z } from 'zod';
import type { ChosenProblems } from '../experiments/lab/problems.js';
import {
  DEVICE_BACKENDS,
  DEVICE_NUMERICS,
  HEAD_PLACES,
  KV_FORMATS,
  PERFORMANCE_MODES,
} from '../hw/choices.js';
import type { DeviceSession } from '../hw/session/device-session.js';
import { type GgmlSession, openGgmlSession } from '../hw/session/ggml-session.js';
import { openDeviceSession } from '../hw/session/open-session.js';
import type { Effect } from './command.js';
import { timeout } from './device-target.js';
import { engine, flag, path } from './groups.js';
import type { Context } from './io.js';
import { MAX_PROBLEMS } from './limits.js';
import { progressBar } from './progress.js';

/**
 * An activation beyond the calibrated range is clipped: with 4 problems the largest logit error of tiny-llada in W8A16 is
 * 1.6, with 24 it is 0.5 (held-out problem 0, policy llada.cpp).
 */
const DEFAULT_CALIBRATION_PROBLEMS = 16;

/** What runs the step graph in process, and how; of every command that does. */
export const device = {
  backend: z
    .enum(DEVICE_BACKENDS)
    .default('ort-cpu')
    .describe(
      "ort-cpu (ONNX Runtime's CPU), qnn-cpu (QNN's reference code), htp (QNN's HTP), ggml (a device of ggml, weights as stored)",
    ),
  numerics: z
    .enum(DEVICE_NUMERICS)
    .default('f32')
    .describe('how its graph computes')
    .meta({ value: 'format' }),
  socModel: z
    .int()
    .min(1)
    .optional()
    .describe('SoC that QNN compiles for; needed for f16 off a device (8 Elite: 69)')
    .meta({ value: 'id' }),
  performanceMode: z.enum(PERFORMANCE_MODES).optional().describe('how a device clocks its NPU (htp)'),
  calibrationProblems: z
    .int()
    .min(1)
    .max(MAX_PROBLEMS)
    .default(DEFAULT_CALIBRATION_PROBLEMS)
    .describe('training problems that w8a16 and w4a16 are calibrated on'),
  head: z
    .enum(HEAD_PLACES)
    .default('graph')
    .describe("where logits are made: in the graph, or by the reference's cpu code")
    .meta({ value: 'place' }),
  kv: z
    .enum(KV_FORMATS)
    .default('f32')
    .describe('type of K and V on their way in and out of the graph')
    .meta({ value: 'format' }),
  contexts: path('keep compiled graphs here and use those that are there (htp)', 'dir'),
  embedContexts: flag('keep them inside the .onnx file'),
  timeout: timeout.default(300).describe('longest time to compile a graph, and to run it'),
  device: engine.device,
  threads: engine.threads.describe('threads of ggml on the CPU (default: all)'),
};
export type DeviceInput = z.output<z.ZodObject<typeof device>>;

export const deviceEffects: Effect<DeviceInput>[] = [
  {
    options: ['socModel', 'performanceMode'],
    when: ({ backend }) => backend === 'qnn-cpu' || backend === 'htp',
    because: "it is of QNN's backends",
  },
  {
    options: ['calibrationProblems'],
    when: ({ numerics }) => numerics === 'w8a16' || numerics === 'w4a16',
    because: 'it is of --numerics w8a16 and w4a16',
  },
  {
    options: ['embedContexts'],
    when: ({ contexts }) => contexts !== undefined,
    because: 'it is of --contexts',
  },
  {
    options: ['device', 'threads'],
    when: ({ backend }) => backend === 'ggml',
    because: 'it is of --backend ggml',
  },
  {
    options: ['numerics', 'head', 'kv', 'contexts', 'timeout', 'calibrationProblems'],
    when: ({ backend }) => backend !== 'ggml',
    because: 'ggml computes in this process, in the formats that the file has',
  },
];

/** Where the libraries of QNN's backends are looked for, for the help of a command. */
export const LIBRARIES_NOTE =
  'QNN backends take their libraries from QNN_EP_DIR, else from what `device fetch` fetched.';

/** The engine that was asked for. @throws DeviceError when a library is missing */
export function openDevice(
  ctx: Context,
  chosen: ChosenProblems,
  asked: DeviceInput & { readonly genLength: number; readonly seed: number },
): Promise<DeviceSession | GgmlSession> {
  const { model } = chosen;
  if (asked.backend === 'ggml') {
    const loading = progressBar(ctx, 'MB loaded');
    return openGgmlSession({
      ...{ model, device: asked.device, threads: asked.threads, signal: ctx.signal },
      onProgress: (done, total) => loading.update(Math.round(done / 1e6), Math.round(total / 1e6)),
    }).finally(() => loading.stop());
  }
  const { backend, numerics, head, kv, socModel, performanceMode, calibrationProblems, seed, genLength } =
    asked;
  const { contexts: directory, embedContexts: embed } = asked;
  const bar = progressBar(ctx, 'problems for calibration');
  const contexts = directory === undefined ? undefined : { directory, embed };
  const timeoutMs = asked.timeout * 1000;
  return openDeviceSession(
    { backend, numerics, head, kv, socModel, performanceMode, contexts, timeoutMs, calibrationProblems },
    { model, spec: chosen.spec, seed, genLength },
    { env: ctx.io.env, signal: ctx.signal, onProgress: (done, total) => bar.update(done, total) },
  ).finally(() => bar.stop());
}
