import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { basename, isAbsolute, join } from 'node:path';
import { UsageError } from '../../src/errors.js';
import type { ModelConfig } from '../../src/model/config.js';
import { fileSha256 } from '../../src/model/load.js';
import type { WeightSource } from '../../src/model/weights.js';
import type { DeviceNumerics, HeadPlace, KvFormat, OnnxBackend, PerformanceMode } from '../choices.js';
import { environmentFailure } from '../device-error.js';
import { bucketName } from '../graph/buckets.js';
import type { Calibration } from '../graph/calibration.js';
import type { ContextOptions } from '../graph/context-store.js';
import { DeviceEngine, type DeviceEvent } from '../graph/device-engine.js';
import { type HostInfo, OrtHost } from '../ort/host.js';
import { qnnAdvice } from '../qnn/advice.js';
import { profilingOptions, type QnnConfiguration, qnnConfiguration } from '../qnn/configuration.js';
import { type ExecutionProfile, parseQnnProfile } from '../qnn/profile.js';
import {
  type DeviceRecord,
  deviceRecord,
  type Failure,
  type FileRecord,
  fileRecord,
  type RunTiming,
} from '../record/device-record.js';
import type { Evidence } from '../record/evidence.js';
import { archOf, backendOf } from '../record/execution-class.js';
import { libraryRecord } from './library-record.js';
import { opTimes } from './op-times.js';
import type { RunSession } from './run-session.js';
import { localSocId } from './soc-id.js';

export interface DeviceRequest {
  readonly backend: OnnxBackend;
  readonly numerics: DeviceNumerics;
  readonly model: {
    readonly config: ModelConfig;
    readonly weights: WeightSource;
    readonly weightsPath: string;
  };
  /** `QNN_EP_DIR`; needed by the QNN backends. */
  readonly qnnDirectory?: string;
  readonly socModel?: number;
  readonly performanceMode?: PerformanceMode;
  readonly calibration?: Calibration;
  /** Where the head runs. Default `graph`. */
  readonly head?: HeadPlace;
  /** Type of K and V at the boundary of the graph. Default f32. */
  readonly kv?: KvFormat;
  /** Keeps compiled graphs under this directory, and uses those that are there: QNN's HTP backend only. */
  readonly contexts?: { readonly directory: string; readonly embed: boolean };
  /** For compiling a graph and for one run. */
  readonly timeoutMs?: number;
  /** Told of every graph that was compiled and every run. */
  readonly onEvent?: (event: DeviceEvent) => void;
}

const KEY_DIGITS = 16;

/**
 * An engine on a device backend, and the evidence of what it did: the libraries that were in memory, the provider each
 * node went to, the backend's own profile. The record's class follows from that evidence alone.
 */
export class DeviceSession implements RunSession {
  readonly engine: DeviceEngine;
  readonly numerics: DeviceNumerics;
  private readonly events: DeviceEvent[] = [];
  private readonly startedAt = new Date().toISOString();
  private readonly qnn: QnnConfiguration | null;
  /** Of one profile per graph. */
  private readonly profiles: string;
  private info: HostInfo | null = null;

  /** @throws DeviceError when a library is missing */
  constructor(private readonly request: DeviceRequest) {
    const { backend, numerics, model, calibration, head, kv, contexts, timeoutMs } = request;
    this.numerics = numerics;
    if (contexts !== undefined && backend !== 'htp')
      throw new UsageError(`backend ${backend} has no compiled contexts, only htp has`);
    this.qnn = backend === 'ort-cpu' ? null : configure(request, backend);
    this.profiles = mkdtempSync(join(tmpdir(), 'dllm-npu-profile-'));
    this.engine = new DeviceEngine(model.config, model.weights, {
      startHost: () => this.startHost(),
      numerics,
      provider: this.qnn?.provider ?? null,
      config: this.qnn?.config ?? {},
      calibration,
      head,
      kv,
      contexts: contexts && (() => this.contexts(contexts)),
      sessionOptions: this.qnn === null ? undefined : (name) => profilingOptions(this.profilePath(name)),
      timeoutMs,
      onEvent: (event) => {
        this.events.push(event);
        request.onEvent?.(event);
      },
    });
  }

  /**
   * Ends the host processes and states what ran, with every library that took part.
   * @param failure why the run did not come to its end
   */
  async finish(failure: Failure | null = null): Promise<DeviceRecord> {
    await this.engine.close();
    const { request, qnn, info } = this;
    const { model, numerics } = request;
    try {
      const runs = this.timings();
      return deviceRecord(this.evidence(runs), {
        tool: { name: 'onnxruntime', version: info?.version ?? null },
        files: await this.files(),
        target: {
          soc: localSocId(),
          htpArch: this.htpArch(),
          // Without what the builder of a kernel calls it.
          os: `${process.platform} ${release().split('-')[0]} ${process.arch}`,
        },
        options: { ...withoutPlaces(qnn?.provider.options ?? {}), ...withoutPlaces(qnn?.config ?? {}) },
        model: { name: model.config.name, numerics },
        runs,
        failure,
        startedAt: this.startedAt,
      });
    } finally {
      rmSync(this.profiles, { recursive: true, force: true });
    }
  }

  private async startHost(): Promise<OrtHost> {
    const directory = this.request.qnnDirectory;
    const { host, info } = await OrtHost.start({
      plugin: this.qnn?.plugin ?? null,
      advise: qnnAdvice,
      env: directory === undefined || this.qnn === null ? undefined : { ADSP_LIBRARY_PATH: directory },
    });
    this.info = info;
    return host;
  }

  /**
   * A folder of its own for what a context depends on beside its graph: one that was made of other weights or by another
   * library is never found.
   */
  private async contexts(asked: NonNullable<DeviceRequest['contexts']>): Promise<ContextOptions> {
    const { plugin, backendFile, provider } = this.qnn!;
    const { model, numerics } = this.request;
    const depends = {
      weights: await fileSha256(model.weightsPath),
      libraries: [(await libraryRecord(plugin.path)).sha256, (await libraryRecord(backendFile)).sha256],
      options: withoutPlaces(provider.options),
      embed: asked.embed,
    };
    const key = createHash('sha256').update(JSON.stringify(depends)).digest('hex').slice(0, KEY_DIGITS);
    const directory = join(asked.directory, `${model.config.name}-${numerics}-${key}`);
    return { directory, embed: asked.embed };
  }

  private opened() {
    return this.events.filter((event) => event.kind === 'opened');
  }

  private profilePath(bucket: string): string {
    return join(this.profiles, `${bucket}.csv`);
  }

  private evidence(runs: readonly RunTiming[]): Evidence {
    const { qnn } = this;
    const opened = this.opened();
    const nodes = opened.flatMap(({ assignments }) => assignments);
    const foreign = nodes.filter(({ provider }) => provider !== qnn?.provider.name);
    const cycles = runs.flatMap(({ acceleratorCycles }) => acceleratorCycles ?? []);
    return {
      targetArch: archOf(process.arch),
      backend: qnn === null ? 'none' : backendOf(qnn.backendFile),
      backendFile: qnn === null ? null : basename(qnn.backendFile),
      fallbackDisabled: qnn?.fallbackDisabled ?? false,
      created: opened.length > 0,
      foreignNodes: qnn === null ? null : foreign.reduce((sum, part) => sum + part.nodes, 0),
      socId: localSocId(),
      acceleratorCycles: cycles.length === 0 ? null : cycles.reduce((sum, value) => sum + value, 0),
    };
  }

  /** Every run with its part of the profile. A profile that was cut off covers the first runs. */
  private timings(): RunTiming[] {
    const graphs = new Map(this.opened().map(({ bucket, graph }) => [bucketName(bucket), graph]));
    const profiles = new Map<string, ExecutionProfile[]>();
    for (const name of graphs.keys()) {
      const path = this.profilePath(name);
      const text = existsSync(path) ? readFileSync(path, 'utf8') : null;
      profiles.set(name, text === null ? [] : [...parseQnnProfile(text, `profile of ${name}`).executions]);
    }
    return this.events.flatMap((event) => {
      if (event.kind !== 'ran') return [];
      const name = bucketName(event.bucket);
      const profile = profiles.get(name)?.shift();
      return {
        id: event.passId,
        bucket: { ...event.bucket },
        hostMs: event.ms,
        acceleratorUs: profile?.acceleratorUs ?? null,
        acceleratorCycles: profile?.acceleratorCycles ?? null,
        ops: profile === undefined ? [] : opTimes(graphs.get(name)!, profile.nodes),
      };
    });
  }

  /** Architecture of the DSP, by the stub that the backend loaded for it; null where it loaded none. */
  private htpArch(): string | null {
    const names = this.opened().flatMap(({ libraries }) => libraries.map((path) => basename(path)));
    const version = names
      .map((name) => /QnnHtpV(\d+)Stub/.exec(name)?.[1])
      .find((found) => found !== undefined);
    return version === undefined ? null : `v${version}`;
  }

  /** Every library that was in the memory of a host process, the weights, and the graphs. */
  private async files(): Promise<FileRecord[]> {
    const { info, qnn } = this;
    const opened = this.opened();
    const named = [info?.library, qnn?.plugin.path, qnn?.backendFile].filter((path) => path !== undefined);
    const loaded = opened.flatMap(({ libraries }) => libraries);
    const paths = [...new Set([...named, ...loaded])].sort();
    const libraries = paths.map(async (path) => {
      const record = await libraryRecord(path);
      return path === info?.library ? { ...record, version: info.version } : record;
    });
    const weights = await fileRecord(this.request.model.weightsPath);
    return [...(await Promise.all(libraries)), weights, ...opened.flatMap(({ files }) => files)];
  }
}

function configure(
  { qnnDirectory, numerics, socModel, performanceMode }: DeviceRequest,
  backend: Exclude<OnnxBackend, 'ort-cpu'>,
): QnnConfiguration {
  if (qnnDirectory === undefined || qnnDirectory === '') {
    const reason = `backend ${backend} needs QNN's libraries: none were fetched and QNN_EP_DIR is not set`;
    throw environmentFailure('find QNN', reason, 'Run dllm-npu device fetch');
  }
  return qnnConfiguration({
    directory: qnnDirectory,
    backend: backend === 'htp' ? 'htp' : 'cpu',
    halves: numerics !== 'f32',
    socModel,
    performanceMode,
  });
}

/** A record names files, not where somebody keeps them. */
function withoutPlaces(options: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => [key, isAbsolute(value) ? basename(value) : value]),
  );
}
