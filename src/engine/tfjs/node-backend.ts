import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { unknownName } from '../../util/nearest.js';
import { TFJS_BACKENDS, type TfjsBackend, useBackend } from './backend.js';

const PACKAGE = '@tensorflow/tfjs-node';

/**
 * The backend of that name, `node` being TensorFlow's C library when the user has `@tensorflow/tfjs-node`. It is looked
 * for only when asked for, is no dependency of this project, and its absence is no error: wasm does the same sums.
 * The environment variable DLLM_NPU_TFJS_NODE names the package's directory where it is not installed beside this
 * project (tools/tfjs-node/build.mjs makes one).
 *
 * @param note gets one line when wasm takes its place
 * @throws UsageError with the nearest names
 */
export async function availableBackend(name: string, note: (line: string) => void): Promise<TfjsBackend> {
  const backend = TFJS_BACKENDS.find((known) => known === name);
  if (backend === undefined) throw unknownName('backend', name, TFJS_BACKENDS);
  if (backend !== 'node') return backend;
  // TensorFlow prints a page about the processor unless told not to.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  const directory = process.env.DLLM_NPU_TFJS_NODE;
  const entry = directory ? pathToFileURL(join(directory, 'dist', 'index.js')).href : PACKAGE;
  // Quiets tfjs, which would name every kernel that the package registers a second time.
  await useBackend('wasm');
  try {
    // Registers the backend "tensorflow" with the tfjs-core it finds, which must be the one used here.
    await import(entry);
    if (tf.findBackendFactory('tensorflow') !== null) return 'node';
    note(`backend node: ${PACKAGE} brought its own tfjs-core; going on with wasm`);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const missing = code === 'ERR_MODULE_NOT_FOUND' ? 'is not installed' : 'cannot load its native library';
    note(`backend node: ${PACKAGE} ${missing}; going on with wasm`);
  }
  return 'wasm';
}
