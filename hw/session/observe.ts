import type { DecodingPolicy } from '../../src/decode/compose.js';
import { decode } from '../../src/decode/session.js';
import { Calibration } from '../graph/calibration.js';
import { type DeviceRequest, DeviceSession } from './device-session.js';

export interface Observed {
  readonly model: DeviceRequest['model'];
  readonly policy: DecodingPolicy;
  readonly prompts: readonly (readonly number[])[];
  readonly genLength: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Ranges of the activations while the float graph decodes these prompts on ONNX Runtime's CPU. */
export async function observeRanges(options: Observed): Promise<Calibration> {
  const { model, policy, prompts, genLength, onProgress, signal } = options;
  const calibration = new Calibration();
  const session = new DeviceSession({ backend: 'ort-cpu', numerics: 'f32', model, observe: calibration });
  try {
    for (const [done, promptIds] of prompts.entries()) {
      onProgress?.(done, prompts.length);
      const stop = signal === undefined ? {} : { signal };
      await decode({ policy, engine: session.engine, promptIds, genLength, ...stop });
    }
    onProgress?.(prompts.length, prompts.length);
  } finally {
    await session.engine.close();
  }
  return calibration;
}
