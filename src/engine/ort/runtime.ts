import { existsSync } from 'node:fs';
import { EnvironmentError } from '../../errors.js';

/** What this project uses of ONNX Runtime's Node binding. */
export type Ort = typeof import('onnxruntime-node');

let loaded: Ort | undefined;

/**
 * ONNX Runtime, an optional dependency: there is no build of it for every platform.
 * @throws EnvironmentError when it is not installed or its native library cannot be loaded
 */
export async function loadOrt(): Promise<Ort> {
  if (loaded !== undefined) return loaded;
  try {
    loaded = await import('onnxruntime-node');
    return loaded;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new EnvironmentError(
      `engine ort needs the optional package onnxruntime-node (npm install onnxruntime-node, or use --engine tfjs): ${reason}`,
    );
  }
}

/**
 * Opens a model file with its data file.
 * @param threads threads of one operator
 * @param arena whether the runtime keeps the memory of temporary values for later ones
 * @throws EnvironmentError when the runtime refuses it
 */
export async function openSession(path: string, threads: number, arena = true) {
  const ort = await loadOrt();
  if (!existsSync(path)) throw new EnvironmentError(`cannot open ${path}: no such file`);
  try {
    return await ort.InferenceSession.create(path, {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      enableCpuMemArena: arena,
      graphOptimizationLevel: 'all',
      // Errors only: the optimiser's remarks are not for the user of a command.
      logSeverityLevel: 3,
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new EnvironmentError(`ONNX Runtime cannot open ${path}: ${reason}`);
  }
}
