import { composePolicy } from '../../src/decode/method/compose.js';
import type { PolicySpec } from '../../src/decode/spec.js';
import type { LoadedModel } from '../../src/model/load.js';
import { encodePrompt } from '../../src/model/prompt.js';
import type { Tokenizer } from '../../src/model/tokenizer.js';
import { generateProblem } from '../../src/score/problems.js';
import { cacheDirectory } from '../../src/util/cache-directory.js';
import { calibrate } from '../graph/calibrate.js';
import type { Calibration } from '../graph/calibration.js';
import { BACKEND_LIBRARIES, findLibraries } from '../qnn/find-libraries.js';
import { type DeviceRequest, DeviceSession } from './device-session.js';

/** A session as it is asked for; libraries and calibration are seen to. */
export interface SessionRequest
  extends Omit<DeviceRequest, 'model' | 'qnnDirectory' | 'calibration' | 'onEvent'> {
  /** Training problems that quantised numerics are calibrated on. */
  readonly calibrationProblems: number;
}

/** What the session is going to decode. */
export interface Decoding {
  readonly model: LoadedModel & { readonly tokenizer: Tokenizer };
  readonly spec: PolicySpec;
  /** Of the problems. */
  readonly seed: number;
  readonly genLength: number;
}

export interface OpenOptions {
  /** QNN_EP_DIR, and where the cache is. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
  /** Told of every problem that the calibration has done. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * The engine that was asked for, calibrated on training problems where its format needs ranges.
 * @throws DeviceError when a library is missing; UsageError for settings that do not go together
 */
export async function openDeviceSession(
  { calibrationProblems, ...request }: SessionRequest,
  decoding: Decoding,
  options: OpenOptions,
): Promise<DeviceSession> {
  const { env } = options;
  const { backend, numerics } = request;
  const library = BACKEND_LIBRARIES[backend === 'htp' ? 'htp' : 'cpu'];
  return new DeviceSession({
    ...request,
    model: decoding.model,
    qnnDirectory: backend === 'ort-cpu' ? undefined : await findLibraries(env, cacheDirectory(env), library),
    calibration:
      numerics === 'f32' || numerics === 'f16'
        ? undefined
        : await calibrated(decoding, calibrationProblems, options),
  });
}

/** Ranges of the activations, from problems that the model was trained on. */
function calibrated(
  { model, spec, seed, genLength }: Decoding,
  problems: number,
  { signal, onProgress }: OpenOptions,
): Promise<Calibration> {
  const prompts = Array.from({ length: problems }, (_, index) =>
    encodePrompt(model.tokenizer, generateProblem(seed, index, 'long', 'train').prompt),
  );
  return calibrate(model, { policy: composePolicy(spec), prompts, genLength, signal, onProgress });
}
