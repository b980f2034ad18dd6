import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { dirname } from 'node:path';
import type { Engine } from '../../src/engine/engine.js';
import { findDevice, type GgmlDevice } from '../../src/engine/ggml/devices.js';
import { createGgmlEngine } from '../../src/engine/ggml/engine.js';
import { type Ggml, loadGgml } from '../../src/engine/ggml/library.js';
import { EnvironmentError } from '../../src/errors.js';
import type { ModelConfig } from '../../src/model/config.js';
import type { WeightSource } from '../../src/model/weights.js';
import type { Pass } from '../../src/pass/pass.js';
import type { RunNumerics } from '../choices.js';
import { DeviceError } from '../device-error.js';
import {
  type DeviceRecord,
  deviceRecord,
  type Failure,
  type FileRecord,
  fileRecord,
  type RunTiming,
} from '../record/device-record.js';
import type { Evidence } from '../record/evidence.js';
import { archOf } from '../record/execution-class.js';
import type { RunSession } from './run-session.js';
import { localSocId } from './soc-id.js';

export interface GgmlRequest {
  readonly model: {
    readonly config: ModelConfig;
    readonly weights: WeightSource;
    readonly weightsPath: string;
  };
  /** By ggml's name. Default `cpu`. */
  readonly device?: string;
  /** Of the CPU. Default: as the engine chooses. */
  readonly threads?: number;
  readonly signal?: AbortSignal;
  /** Bytes of the weights that are loaded. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

/**
 * The ggml engine on a device of this machine, with a record of it: wall-clock time of every pass, operators that fell
 * back to the CPU, the libraries in memory.
 * @throws EnvironmentError when ggml or the device is not there
 */
export async function openGgmlSession(request: GgmlRequest): Promise<GgmlSession> {
  const { model, device = 'cpu', threads, signal, onProgress } = request;
  const ggml = loadGgml();
  const { pointer: _, ...found } = findDevice(ggml, device);
  const engine = await createGgmlEngine(model.config, model.weights, { device, threads, signal, onProgress });
  return new GgmlSession(request, ggml, found, engine);
}

export class GgmlSession implements RunSession {
  readonly engine: Engine;
  readonly numerics: RunNumerics;
  private readonly runs: RunTiming[] = [];
  private readonly startedAt = new Date().toISOString();

  constructor(
    private readonly request: GgmlRequest,
    private readonly ggml: Ggml,
    readonly device: GgmlDevice,
    private readonly native: Engine,
  ) {
    this.numerics = numericsOf(request.model.weights);
    this.engine = {
      name: native.name,
      config: native.config,
      run: (pass) => this.timed(pass),
      retain: (live) => native.retain(live),
      readKv: (ref) => native.readKv(ref),
      ranOn: () => native.ranOn!(),
      dispose: () => native.dispose(),
    };
  }

  /** Passes so far, and the wall-clock time of them all. */
  get passes(): { readonly count: number; readonly ms: number } {
    return { count: this.runs.length, ms: this.runs.reduce((sum, { hostMs }) => sum + hostMs, 0) };
  }

  async finish(failure: Failure | null = null): Promise<DeviceRecord> {
    const { model, threads } = this.request;
    // Before memory is given back: what was loaded is read from the process.
    const files = await this.files();
    const evidence = this.evidence();
    this.native.dispose();
    return deviceRecord(evidence, {
      tool: { name: 'ggml', version: this.ggml.version },
      files,
      target: {
        soc: localSocId(),
        htpArch: null,
        os: `${process.platform} ${release().split('-')[0]} ${process.arch}`,
      },
      options: { device: this.device.name, threads: threads === undefined ? 'all' : String(threads) },
      model: { name: model.config.name, numerics: this.numerics },
      runs: this.runs,
      failure,
      startedAt: this.startedAt,
    });
  }

  private async timed(pass: Pass) {
    const began = performance.now();
    try {
      return await this.native.run(pass);
    } catch (error) {
      if (!(error instanceof EnvironmentError)) throw error;
      throw new DeviceError({ kind: 'crashed', stage: 'run', reason: error.message });
    } finally {
      const hostMs = performance.now() - began;
      const bucket = { rows: pass.rows.length, context: pass.reads.length };
      this.runs.push({ id: pass.id, bucket, hostMs, acceleratorUs: null, acceleratorCycles: null, ops: [] });
    }
  }

  private evidence(): Evidence {
    const { name, type } = this.device;
    const { operators, onCpu } = this.native.ranOn!();
    const foreign = Object.values(onCpu).reduce((sum, count) => sum + count, 0);
    return {
      targetArch: archOf(process.arch),
      backend: type === 'cpu' ? 'none' : /^htp/.test(name) ? 'htp' : type === 'gpu' ? 'gpu' : 'other',
      backendFile: null,
      fallbackDisabled: false,
      created: operators > 0,
      foreignNodes: foreign,
      socId: localSocId(),
      acceleratorCycles: null,
      ggml: { device: name, type, operators, onCpu: { ...onCpu } },
    };
  }

  private files(): Promise<FileRecord[]> {
    const { base, loader } = this.ggml.source;
    const paths = [...new Set([...loadedFrom(dirname(base)), base, loader])].sort();
    const libraries = paths.map((path) => fileRecord(path, this.ggml.version));
    return Promise.all([...libraries, fileRecord(this.request.model.weightsPath)]);
  }
}

/** Libraries of a folder that are in memory, as Linux and Android tell. */
function loadedFrom(directory: string): string[] {
  const maps = '/proc/self/maps';
  if (!existsSync(maps)) return [];
  const paths = readFileSync(maps, 'utf8').match(/\/.*$/gm) ?? [];
  return paths.filter((path) => dirname(path) === directory);
}

/** ggml multiplies in the format that a matrix is stored in (docs/howto/ggml.md). */
function numericsOf(weights: WeightSource): RunNumerics {
  const formats = new Set(
    weights.names().flatMap((id) => {
      const { shape, dtype } = weights.info(id)!;
      return shape.length > 1 ? [dtype] : [];
    }),
  );
  if ([...formats].every((dtype) => dtype === 'f32')) return 'f32';
  return [...formats].every((dtype) => dtype === 'f32' || dtype === 'f16') ? 'f16' : 'as stored';
}
