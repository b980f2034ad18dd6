import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KvRef, Pass } from '../../src/decode/types.js';
import type { Engine, PassResult } from '../../src/engine/engine.js';
import { KvStore } from '../../src/engine/kv-store.js';
import { PrefixRows } from '../../src/engine/prefix-rows.js';
import { UsageError } from '../../src/errors.js';
import { kvInputId } from '../../src/model/build-graph.js';
import type { ModelConfig } from '../../src/model/config.js';
import type { OpGraph } from '../../src/model/graph.js';
import { PREFIX_SET } from '../../src/model/pass-shape.js';
import type { WeightSource } from '../../src/model/weights.js';
import type { OrtHost } from '../ort/host.js';
import type { Assignment, BoundTensor } from '../ort/protocol.js';
import { type FileRecord, fileRecord } from '../record/run-record.js';
import { type Bucket, bucketFor, bucketName } from './buckets.js';
import type { Calibration } from './calibration.js';
import { type Numerics, type StepGraphFile, tensorOf, writeStepGraph } from './step-graph.js';
import { stepInputs } from './step-inputs.js';

export interface DeviceEngineOptions {
  /** Starts a host process. Every bucket gets its own, so that a graph that ends its host takes no other along. */
  readonly startHost: () => Promise<OrtHost>;
  readonly numerics: Numerics;
  /** Backend and its options; null: ONNX Runtime's CPU. */
  readonly provider: { readonly name: string; readonly options: Readonly<Record<string, string>> } | null;
  /** Session settings, e.g. `session.disable_cpu_ep_fallback`. */
  readonly config: Readonly<Record<string, string>>;
  /** Needed by the quantised numerics. */
  readonly calibration?: Calibration;
  /** Further provider options of the session of a bucket, e.g. where its profile goes. */
  readonly sessionOptions?: (bucket: string) => Readonly<Record<string, string>>;
  /**
   * Computes logits of final hidden states, [rows, hidden] to [rows, vocab]: the graph then ends before the head, which
   * runs on the CPU as in llada.cpp (arXiv:2606.13740).
   */
  readonly head?: (hidden: Float32Array) => Float32Array;
  /** For opening a session (compiling a graph) and for a run. Default 300 s. */
  readonly timeoutMs?: number;
  /** Called with every session that was opened and every run. */
  readonly onEvent?: (event: DeviceEvent) => void;
}

export type DeviceEvent =
  | {
      readonly kind: 'opened';
      readonly bucket: Bucket;
      readonly ms: number;
      readonly assignments: readonly Assignment[];
      /** Paths of the shared libraries in the host process. */
      readonly libraries: readonly string[];
      readonly graph: OpGraph;
      /** The ONNX file, without its weights. */
      readonly file: FileRecord;
    }
  | { readonly kind: 'ran'; readonly bucket: Bucket; readonly passId: string; readonly ms: number };

/** Without it the runtime does not tell which provider got which node. */
const RECORD_ASSIGNMENT = { 'session.record_ep_graph_assignment_info': '1' } as const;

interface OpenSession {
  readonly name: string;
  readonly host: OrtHost;
  readonly bucket: Bucket;
  readonly file: StepGraphFile;
  readonly region: number;
  readonly tensors: ReadonlyMap<string, BoundTensor>;
  /** Stamp of the prefix that the region holds. */
  prefix: number;
}

const LINE_BYTES = 64;
const FLOAT_BYTES = 4;

/**
 * The denoising step on a backend behind an `OrtHost`: every pass runs in the compiled graph of its bucket, padded and
 * masked. Sessions are opened when first needed and share nothing but the process.
 */
export class DeviceEngine implements Engine {
  readonly name: string;
  private readonly kv: KvStore;
  private readonly prefix: PrefixRows;
  private readonly sessions = new Map<string, OpenSession>();
  private readonly directory = mkdtempSync(join(tmpdir(), 'dllm-npu-device-'));
  private prefixStamp = 0;
  private disposed = false;

  constructor(
    readonly config: ModelConfig,
    private readonly weights: WeightSource,
    private readonly options: DeviceEngineOptions,
  ) {
    this.name = `device-${options.provider?.name ?? 'ort-cpu'}-${options.numerics}`;
    this.kv = new KvStore(config.layers, config.kvHeads * config.headDim);
    this.prefix = new PrefixRows(this.kv);
  }

  async run(pass: Pass): Promise<PassResult> {
    if (this.disposed) throw new UsageError(`engine ${this.name} was disposed`);
    const session = await this.sessionFor(pass);
    this.feed(session, pass);
    const timeout = this.options.timeoutMs ?? 300_000;
    const { ms } = await session.host.run(session.name, timeout);
    this.options.onEvent?.({ kind: 'ran', bucket: session.bucket, passId: pass.id, ms });
    const rows = pass.rows.length;
    const { graph, result } = session.file;
    this.kv.putPass(pass, {
      k: graph.freshKv.map(({ k }) => this.read(session, k, rows)),
      v: graph.freshKv.map(({ v }) => this.read(session, v, rows)),
    });
    if (pass.logits.length === 0) return { logits: new Float32Array(0) };
    const answer = this.read(session, result, pass.logits.length);
    return { logits: this.options.head?.(answer) ?? answer };
  }

  retain(live: readonly KvRef[]): void {
    this.kv.retain(live);
  }

  readKv(ref: KvRef): { readonly k: readonly Float32Array[]; readonly v: readonly Float32Array[] } {
    return this.kv.read(ref);
  }

  /** Ends the host processes: only then are their profiles complete. */
  async close(): Promise<void> {
    this.dispose();
    await Promise.all([...this.sessions.values()].map(({ host }) => host.stop()));
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    for (const { host } of this.sessions.values()) void host.stop();
    for (const { region } of this.sessions.values()) closeSync(region);
    rmSync(this.directory, { recursive: true, force: true });
    this.kv.clear();
  }

  private async sessionFor(pass: Pass): Promise<OpenSession> {
    const bucket = bucketFor(pass.rows.length, pass.reads.length, this.config.contextLength);
    const name = bucketName(bucket);
    const known = this.sessions.get(name);
    if (known !== undefined) return known;
    const { startHost, numerics, provider, config, calibration, onEvent, sessionOptions } = this.options;
    const path = join(this.directory, `${name}.onnx`);
    const file = await writeStepGraph(this.config, this.weights, path, {
      ...{ bucket, numerics, head: this.options.head === undefined },
      ...(calibration === undefined ? {} : { calibration }),
    });
    const { inputs, outputs, bytes } = layOut(file);
    const regionPath = join(this.directory, `${name}.region`);
    const region = openSync(regionPath, 'w+');
    ftruncateSync(region, bytes);
    const request = {
      ...{
        session: name,
        model: path,
        config: { ...RECORD_ASSIGNMENT, ...config },
        threads: 1,
        inputs,
        outputs,
      },
      provider:
        provider === null
          ? null
          : { name: provider.name, options: { ...provider.options, ...sessionOptions?.(name) } },
      region: { path: regionPath, bytes },
    };
    let host: OrtHost | undefined;
    try {
      host = await startHost();
      const { ms, assignments, libraries } = await host.open(request, this.options.timeoutMs ?? 300_000);
      const opened = { kind: 'opened', bucket, ms, assignments, libraries, graph: file.graph } as const;
      onEvent?.({ ...opened, file: await fileRecord(path) });
    } catch (error) {
      closeSync(region);
      await host?.stop();
      throw error;
    }
    const tensors = new Map([...inputs, ...outputs].map((tensor) => [tensor.name, tensor]));
    const opened = { name, host, bucket, file, region, tensors, prefix: -1 };
    this.sessions.set(name, opened);
    return opened;
  }

  private feed(session: OpenSession, pass: Pass): void {
    for (const [id, values] of stepInputs(this.config, pass, session.bucket)) this.write(session, id, values);
    if (this.prefix.assemble(pass.reads)) this.prefixStamp += 1;
    if (session.prefix === this.prefixStamp) return;
    session.prefix = this.prefixStamp;
    for (let layer = 0; layer < this.config.layers; layer++) {
      for (const part of ['k', 'v'] as const) {
        this.write(session, kvInputId(PREFIX_SET, layer, part), this.prefix.values(layer, part));
      }
    }
  }

  private write(session: OpenSession, id: string, values: Float32Array | Int32Array): void {
    writeSync(session.region, values, 0, values.byteLength, session.tensors.get(id)!.offset);
  }

  /** The first `rows` rows of an output. */
  private read(session: OpenSession, id: string, rows: number): Float32Array {
    const width = tensorOf(session.file.graph, id).shape.at(-1) ?? 1;
    const values = new Float32Array(rows * width);
    readSync(session.region, values, 0, values.byteLength, session.tensors.get(id)!.offset);
    return values;
  }
}

/** Inputs, then outputs, each on a line of its own. */
function layOut({ graph, result }: StepGraphFile) {
  let end = 0;
  const place = (id: string): BoundTensor => {
    const { shape, dtype } = tensorOf(graph, id);
    const offset = Math.ceil(end / LINE_BYTES) * LINE_BYTES;
    end = offset + shape.reduce((product, extent) => product * extent, FLOAT_BYTES);
    return { name: id, type: dtype === 'i32' ? 'i32' : 'f32', dims: [...shape], offset };
  };
  const read = [...graph.tensors.values()].filter(({ role }) => role === 'input' || role === 'kv');
  const inputs = read.map(({ id }) => place(id));
  const written = new Set([result, ...graph.freshKv.flatMap(({ k, v }) => [k, v])]);
  const outputs = [...written].map(place);
  return { inputs, outputs, bytes: end };
}
