import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { ModelConfig } from '../../model/config.js';
import { weightShapes } from '../../model/weight-ids.js';
import type { WeightSource } from '../../model/weights.js';
import { ONNX_FORM, writeOnnx } from '../../onnx/write-onnx.js';
import { cacheDirectory } from '../../util/cache-directory.js';
import { project } from '../../util/project-root.js';
import type { OrtEngineOptions } from './options.js';
import { q4BlobsAvailable } from './q4-blobs.js';

export interface PreparedModel {
  readonly path: string;
  /** Removes what was only made for one engine. */
  readonly release: () => void;
}

/**
 * The ONNX form of a model: from the cache when the files of weights are those it was made from (path, size and time of
 * change) by this version of the project, else written now.
 */
export async function prepareModel(
  config: ModelConfig,
  weights: WeightSource,
  options: OrtEngineOptions,
): Promise<PreparedModel> {
  const { weightsPath } = options;
  const progress = {
    compute: options.compute ?? ('f32' as const),
    blobs: await wantsBlobs(config, weights, options),
    onProgress: options.onProgress,
    signal: options.signal,
  };
  if (weightsPath === undefined) {
    const directory = mkdtempSync(join(tmpdir(), 'dllm-npu-ort-'));
    const release = () => rmSync(directory, { recursive: true, force: true });
    try {
      const { path } = await writeOnnx(config, weights, join(directory, 'model.onnx'), progress);
      return { path, release };
    } catch (error) {
      release();
      throw error;
    }
  }
  const directory = options.cacheDirectory ?? cacheDirectory();
  mkdirSync(directory, { recursive: true });
  const name = `${cacheName(config, weightsPath, weights.files ?? [weightsPath])}${progress.blobs ? '-blobs' : ''}`;
  const path = join(directory, `${name}.${progress.compute}.onnx`);
  const dataName = `${name}.data`;
  // Both kinds of product read the same data, unless one reads Q4_0 blocks in place. It is written under another name and renamed when whole.
  if (!existsSync(path) || !existsSync(join(directory, dataName))) {
    await writeOnnx(config, weights, path, { ...progress, dataName, keepData: true });
  }
  return { path, release: () => {} };
}

async function wantsBlobs(
  config: ModelConfig,
  weights: WeightSource,
  options: OrtEngineOptions,
): Promise<boolean> {
  if ((options.compute ?? 'f32') !== 'f32') return false;
  const ids = [...weightShapes(config).keys()];
  const quantised = ids.some((id) => ['q4_0', 'q8_0'].includes(weights.info(id)?.dtype ?? ''));
  return quantised && (await q4BlobsAvailable());
}

function cacheName(config: ModelConfig, weightsPath: string, files: readonly string[]): string {
  const stats = files.map((file) => {
    const { size, mtimeMs } = statSync(file);
    return `${resolve(file)}\n${size}\n${mtimeMs}`;
  });
  const identity = [...stats, project().version, ONNX_FORM, JSON.stringify(config)];
  const hash = createHash('sha256').update(identity.join('\n')).digest('hex').slice(0, 16);
  return `${basename(weightsPath).replace(/\.[^.]+$/, '')}-${hash}`;
}
