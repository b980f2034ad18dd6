import * as wasm from '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { EnvironmentError } from '../../errors.js';
import type { TfjsBackend } from './backends.js';
import { wasmPlace } from './wasm-place.js';

let configured = false;

/** One thread: XNNPACK then sums in one order, so the same inputs give the same bits. */
function configureWasm(): void {
  if (configured) return;
  configured = true;
  // Also silences tfjs's advice to install its native package.
  tf.enableProdMode();
  wasm.setWasmPaths(wasmPlace());
  wasm.setThreadsCount(1);
}

/**
 * Makes `backend` the active one. tfjs has a single active backend per thread: call before each use, it is free
 * when nothing changes.
 * @throws EnvironmentError when the backend cannot be started
 */
export async function useBackend(backend: TfjsBackend): Promise<void> {
  configureWasm();
  const registered = backend === 'node' ? 'tensorflow' : backend;
  if (tf.getBackend() === registered) return;
  const started = await tf.setBackend(registered);
  if (!started) throw new EnvironmentError(`tfjs backend "${backend}" could not be started on this machine`);
  await tf.ready();
}
