import type { DecodingPolicy } from '../../src/decode/method/compose.js';
import { decode } from '../../src/decode/method/session.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import type { LoadedModel } from '../../src/model/load.js';
import { Calibration } from './calibration.js';

export interface CalibrateOptions {
  readonly policy: DecodingPolicy;
  /** Prompts that the reference decodes; the ranges are those of all of them together. */
  readonly prompts: readonly (readonly number[])[];
  readonly genLength: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Ranges of the activations around linear layers while the reference engine decodes.
 * @throws UsageError when a prompt does not fit the model
 */
export async function calibrate(model: LoadedModel, options: CalibrateOptions): Promise<Calibration> {
  const { policy, prompts, genLength, signal, onProgress } = options;
  const calibration = new Calibration();
  const engine = await createTfjsEngine(model.config, model.weights, {
    onLinear: (id, values) => calibration.observe(id, values),
  });
  try {
    for (const [done, promptIds] of prompts.entries()) {
      onProgress?.(done, prompts.length);
      await decode({ policy, engine, promptIds, genLength, signal });
    }
  } finally {
    engine.dispose();
  }
  return calibration;
}
