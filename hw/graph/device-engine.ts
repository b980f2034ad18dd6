import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine, PassResult } from '../../src/engine/engine.js';
import { KvStore } from '../../src/engine/kv-store.js';
import { PrefixRows } from '../../src/engine/prefix-rows.js';
import { type Head, loadHead } from '../../src/engine/tfjs/weight-tensors.js';
import { UsageError } from '../../src/errors.js';
import { kvInputId } from '../../src/model/build-graph.js';
import type { ModelConfig } from '../../src/model/config.js';
import type { OpGraph } from '../../src/model/graph.js';
import type { WeightSource } from '../../src/model/weights.js';
import type { KvRef, Pass } from '../../src/pass/pass.js';
import { PREFIX_SET } from '../../src/pass/shape.js';
import type { DeviceNumerics, HeadPlace, KvFormat } from '../choices.js';
import type { OrtHost } from '../ort/host.js';
import type { Assignment } from '../ort/protocol.js';
import { type FileRecord, fileRecord } from '../record/device-record.js';
import { type Bucket, bucketFor, bucketName } from './buckets.js';
import type { Calibration } from './calibration.js';
import { type ContextOptions, ContextStore, type PendingContext } from './context-store.js';
import { buildStepGraph } from './step-graph.js';
import { stepInputs } from './step-inputs.js';
import type { StepIo } from './step-io.js';
import { TensorRegion } from './tensor-region.js';

export interface DeviceEngineOptions {
  /** Starts a host process. Every bucket gets its own, so that a graph that ends its host takes no other along. */
  readonly startHost: () => Promise<OrtHost>;
  readonly numerics: DeviceNumerics;
  /** Backend and its options; null: ONNX Runtime's CPU. */
  readonly provider: { readonly name: string; readonly options: Readonly<Record<string, string>> } | null;
  /** Session settings, e.g. `session.disable_cpu_ep_fallback`. */
  readonly config: Readonly<Record<string, string>>;
  /** Needed by the quantised numerics. */
  readonly calibration?: Calibration;
  /** Further provider options of the session of a bucket, e.g. where its profile goes. */
  readonly sessionOptions?: (bucket: string) => Readonly<Record<string, string>>;
  /**
   * `cpu`: the graph ends before the head, and the reference engine computes the logits of its final hidden states, as
   * llada.cpp does (arXiv:2606.13740). Default `graph`.
   */
  readonly head?: HeadPlace;
  /** Type of K and V at the boundary of the graph. Default f32. */
  readonly kv?: KvFormat;
  /** Keeps compiled graphs, and uses those that are there already. Only for backends that have such a thing. */
  readonly contexts?: () => Promise<ContextOptions>;
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
      /** Whether the graph was compiled now or came compiled out of a context. */
      readonly from: 'graph' | 'context';
      /** The ONNX file it was opened from, without its weights; and the files of its context. */
      readonly files: readonly FileRecord[];
    }
  | { readonly kind: 'ran'; readonly bucket: Bucket; readonly passId: string; readonly ms: number };

/** Without it the runtime does not tell which provider got which node. */
const RECORD_ASSIGNMENT = { 'session.record_ep_graph_assignment_info': '1' } as const;

interface OpenSession {
  readonly name: string;
  readonly host: OrtHost;
  readonly bucket: Bucket;
  readonly graph: OpGraph;
  readonly io: StepIo;
  readonly region: TensorRegion;
  /** Stamp of the prefix that the region holds. */
  prefix: number;
}

/** A model file to open, the files that belong to it, and what to do with the context that opening it makes. */
interface Source {
  readonly graph: OpGraph;
  readonly io: StepIo;
  readonly path: string;
  readonly files: readonly string[];
  readonly from: 'graph' | 'context';
  readonly context: PendingContext | null;
}

const DEFAULT_TIMEOUT_MS = 300_000;
/** Digits of a graph's SHA-256 in the name of its context. */
const DIGEST_DIGITS = 12;

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
  private head: Head | undefined;
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
    const { ms } = await session.host.run(session.name, this.options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    this.options.onEvent?.({ kind: 'ran', bucket: session.bucket, passId: pass.id, ms });
    const rows = pass.rows.length;
    const { graph, io, region } = session;
    this.kv.putPass(pass, {
      k: graph.freshKv.map(({ k }) => region.read(k, rows)),
      v: graph.freshKv.map(({ v }) => region.read(v, rows)),
    });
    if (pass.logits.length === 0) return { logits: new Float32Array(0) };
    const answer = region.read(io.result, pass.logits.length);
    if (this.options.head !== 'cpu') return { logits: answer };
    this.head ??= await loadHead(this.config, this.weights);
    return { logits: this.head(answer) };
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
    for (const { region } of this.sessions.values()) region.close();
    this.head?.dispose();
    rmSync(this.directory, { recursive: true, force: true });
    this.kv.clear();
  }

  private async sessionFor(pass: Pass): Promise<OpenSession> {
    const bucket = bucketFor(pass.rows.length, pass.reads.length, this.config.contextLength);
    const known = this.sessions.get(bucketName(bucket));
    if (known !== undefined) return known;
    const opened = await this.open(bucket);
    this.sessions.set(opened.name, opened);
    return opened;
  }

  private async open(bucket: Bucket): Promise<OpenSession> {
    const { startHost, provider, config, onEvent, sessionOptions, timeoutMs } = this.options;
    const name = bucketName(bucket);
    const { graph, io, path, from, context, ...source } = await this.source(bucket);
    const region = new TensorRegion(join(this.directory, `${name}.region`), io);
    const request = {
      session: name,
      model: path,
      threads: 1,
      inputs: [...region.inputs],
      outputs: [...region.outputs],
      config: { ...RECORD_ASSIGNMENT, ...config, ...context?.config },
      provider:
        provider === null
          ? null
          : { name: provider.name, options: { ...provider.options, ...sessionOptions?.(name) } },
      region: { path: region.path, bytes: region.bytes },
    };
    let host: OrtHost | undefined;
    try {
      host = await startHost();
      const { ms, assignments, libraries } = await host.open(request, timeoutMs ?? DEFAULT_TIMEOUT_MS);
      const files = [...source.files, ...(context?.keep() ?? [])];
      const records = await Promise.all(files.map((file) => fileRecord(file)));
      onEvent?.({ kind: 'opened', bucket, ms, assignments, libraries, graph, from, files: records });
    } catch (error) {
      context?.discard();
      region.close();
      await host?.stop();
      throw error;
    }
    return { name, host, bucket, graph, io, region, prefix: -1 };
  }

  /** The context of a bucket where there is one of this very graph, else the graph, written now. */
  private async source(bucket: Bucket): Promise<Source> {
    const { numerics, calibration, contexts, head, kv } = this.options;
    const { graph, io, sha256, write } = await buildStepGraph(this.config, this.weights, {
      bucket,
      numerics,
      head: head !== 'cpu',
      kv,
      calibration,
    });
    const store = contexts === undefined ? null : new ContextStore(await contexts());
    const name = `${bucketName(bucket)}-${sha256.slice(0, DIGEST_DIGITS)}`;
    const compiled = store?.find(name) ?? null;
    if (compiled !== null) return { graph, io, ...compiled, from: 'context', context: null };
    const path = await write(this.directory);
    return { graph, io, path, files: [path], from: 'graph', context: store?.prepare(name) ?? null };
  }

  private feed(session: OpenSession, pass: Pass): void {
    const { bucket, region } = session;
    for (const [id, values] of stepInputs(this.config, pass, bucket)) region.write(id, values);
    if (this.prefix.assemble(pass.reads)) this.prefixStamp += 1;
    if (session.prefix === this.prefixStamp) return;
    session.prefix = this.prefixStamp;
    for (let layer = 0; layer < this.config.layers; layer++) {
      for (const part of ['k', 'v'] as const) {
        region.write(kvInputId(PREFIX_SET, layer, part), this.prefix.values(layer, part));
      }
    }
  }
}
