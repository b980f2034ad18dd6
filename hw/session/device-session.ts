import { basename, isAbsolute } from 'node:path';
import type { ModelConfig } from '../../src/model/config.js';
import type { WeightSource } from '../../src/model/weights.js';
import { environmentFailure } from '../device-error.js';
import type { Calibration } from '../graph/calibration.js';
import { DeviceEngine, type DeviceEvent } from '../graph/device-engine.js';
import type { Numerics } from '../graph/step-graph.js';
import { type HostInfo, OrtHost } from '../ort/host.js';
import { type QnnConfiguration, qnnConfiguration } from '../qnn/configuration.js';
import { archOf, backendOf, type Evidence } from '../record/execution-class.js';
import {
  type Failure,
  type FileRecord,
  fileRecord,
  type RunRecord,
  runRecord,
} from '../record/run-record.js';
import { packageVersions } from './package-versions.js';
import { localSocId } from './soc-id.js';

/** What runs the step graph in the host process: ONNX Runtime's CPU, or one of QNN's backends. */
export const BACKENDS = ['ort-cpu', 'qnn-cpu', 'htp'] as const;
export type DeviceBackend = (typeof BACKENDS)[number];

export interface DeviceRequest {
  readonly backend: DeviceBackend;
  readonly numerics: Numerics;
  readonly model: {
    readonly config: ModelConfig;
    readonly weights: WeightSource;
    readonly weightsPath: string;
  };
  /** `QNN_EP_DIR`; needed by the QNN backends. */
  readonly qnnDirectory?: string;
  readonly socModel?: number;
  readonly calibration?: Calibration;
  /** Collects ranges while running. */
  readonly observe?: Calibration;
  /** For compiling a graph and for one run. */
  readonly timeoutMs?: number;
}

/**
 * An engine on a device backend, and the evidence of what it did. The record's class follows from that evidence alone.
 */
export class DeviceSession {
  readonly engine: DeviceEngine;
  private readonly events: DeviceEvent[] = [];
  private readonly startedAt = new Date().toISOString();
  private readonly qnn: QnnConfiguration | null;
  private info: HostInfo | null = null;

  /** @throws DeviceError when a library is missing */
  constructor(private readonly request: DeviceRequest) {
    const { backend, numerics, model, calibration, observe, timeoutMs } = request;
    this.qnn = backend === 'ort-cpu' ? null : configure(request, backend);
    this.engine = new DeviceEngine(model.config, model.weights, {
      startHost: () => this.startHost(),
      ...{ numerics, provider: this.qnn?.provider ?? null },
      config: this.qnn?.config ?? { 'session.record_ep_graph_assignment_info': '1' },
      ...(calibration === undefined ? {} : { calibration }),
      ...(observe === undefined ? {} : { observe }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      onEvent: (event) => this.events.push(event),
    });
  }

  /** Ends the host processes and states what ran, with every library that took part. */
  async finish(failure: Failure | null = null): Promise<RunRecord> {
    await this.engine.close();
    const { request, qnn, info } = this;
    const { model, numerics } = request;
    return runRecord(this.evidence(), {
      tool: { name: 'onnxruntime', version: info?.version ?? null },
      files: await this.files(),
      target: { soc: localSocId(), htpArch: null, os: `${process.platform} ${process.arch}` },
      options: { ...withoutPlaces(qnn?.provider.options ?? {}), ...withoutPlaces(qnn?.config ?? {}) },
      model: { name: model.config.name, numerics },
      runs: this.events.flatMap((event) =>
        event.kind === 'ran'
          ? [
              {
                ...{ id: event.passId, bucket: { ...event.bucket }, hostMs: event.ms },
                ...{ acceleratorUs: null, acceleratorCycles: null, ops: [] },
              },
            ]
          : [],
      ),
      ...{ failure, startedAt: this.startedAt },
    });
  }

  private async startHost(): Promise<OrtHost> {
    const directory = this.request.qnnDirectory;
    const env = directory === undefined || this.qnn === null ? {} : { env: { ADSP_LIBRARY_PATH: directory } };
    const { host, info } = await OrtHost.start({ plugin: this.qnn?.plugin ?? null, ...env });
    this.info = info;
    return host;
  }

  private evidence(): Evidence {
    const { qnn } = this;
    const opened = this.events.filter((event) => event.kind === 'opened');
    const nodes = opened.flatMap(({ assignments }) => assignments);
    const foreign = nodes.filter(({ provider }) => provider !== qnn?.provider.name);
    return {
      targetArch: archOf(process.arch),
      backend: qnn === null ? 'none' : backendOf(qnn.backendFile),
      backendFile: qnn === null ? null : basename(qnn.backendFile),
      fallbackDisabled: qnn?.fallbackDisabled ?? false,
      created: opened.length > 0,
      foreignNodes: qnn === null ? null : foreign.reduce((sum, part) => sum + part.nodes, 0),
      socId: localSocId(),
      acceleratorCycles: null,
    };
  }

  private async files(): Promise<FileRecord[]> {
    const { request, qnn, info } = this;
    const runtime = info === null ? [] : [await fileRecord(info.library, info.version)];
    const versions = packageVersions(request.qnnDirectory ?? '');
    const libraries = (qnn?.files ?? []).map((path) =>
      fileRecord(path, path === qnn?.plugin.path ? versions.plugin : versions.qnn),
    );
    return [...runtime, ...(await Promise.all(libraries)), await fileRecord(request.model.weightsPath)];
  }
}

function configure(
  { qnnDirectory, numerics, socModel }: DeviceRequest,
  backend: Exclude<DeviceBackend, 'ort-cpu'>,
): QnnConfiguration {
  if (qnnDirectory === undefined || qnnDirectory === '') {
    const reason = `backend ${backend} needs QNN's libraries: none were fetched and QNN_EP_DIR is not set`;
    throw environmentFailure('find QNN', reason, 'Run dllm-npu device fetch');
  }
  return qnnConfiguration({
    ...{ directory: qnnDirectory, backend: backend === 'htp' ? 'htp' : 'cpu', halves: numerics === 'f16' },
    ...(socModel === undefined ? {} : { socModel }),
  });
}

/** A record names files, not where somebody keeps them. */
function withoutPlaces(options: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => [key, isAbsolute(value) ? basename(value) : value]),
  );
}
