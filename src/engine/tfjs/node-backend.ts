import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { EnvironmentError } from '../../errors.js';
import { useBackend } from './backend.js';
import type { TfjsBackend } from './backends.js';

const PACKAGE = '@tensorflow/tfjs-node';

/**
 * The backend to use for the one asked for, `node` being TensorFlow's C library when the user has `@tensorflow/tfjs-node`. It is looked
 * for only when asked for, is no dependency of this project, and its absence is no error: wasm does the same sums.
 * The environment variable DLLM_NPU_TFJS_NODE names the package's directory where it is not installed beside this
 * project (tools/tfjs-node/build.mjs makes one).
 *
 * @param onFallback gets one line when wasm takes its place; without it nothing may take its place
 * @throws EnvironmentError when the backend is missing and nothing may take its place
 */
export async function availableBackend(
  backend: TfjsBackend,
  onFallback?: (note: string) => void,
): Promise<TfjsBackend> {
  if (backend !== 'node') return backend;
  // TensorFlow prints a page about the processor unless told not to.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  const fallBack = (reason: string): TfjsBackend => {
    if (onFallback === undefined) throw new EnvironmentError(`backend node: ${PACKAGE} ${reason}`);
    onFallback(`backend node: ${PACKAGE} ${reason}; going on with wasm`);
    return 'wasm';
  };
  const directory = process.env.DLLM_NPU_TFJS_NODE;
  const entry = directory ? pathToFileURL(join(directory, 'dist', 'index.js')).href : PACKAGE;
  // Quiets tfjs, which would name every kernel that the package registers a second time.
  await useBackend('wasm');
  try {
    // Registers the backend "tensorflow" with the tfjs-core it finds, which must be the one used here.
    await import(entry);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return fallBack(code === 'ERR_MODULE_NOT_FOUND' ? 'is not installed' : 'cannot load its native library');
  }
  return tf.findBackendFactory('tensorflow') === null ? fallBack('brought its own tfjs-core') : 'node';
}
