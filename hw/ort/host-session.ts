import { type OrtApi, OrtStatusError, type Pointer } from './ort-api.js';
import { type Assignment, type BoundTensor, ELEMENT_TYPES, type Request } from './protocol.js';
import { openRegion, type SharedRegion } from './shared-region.js';

type OpenRequest = Extract<Request, { kind: 'open' }>;

/** OrtArenaAllocator and OrtMemTypeDefault of the CPU's memory description. */
const ARENA_ALLOCATOR = 1;
const DEFAULT_MEMORY = 0;
const ALL_OPTIMIZATIONS = 99;

/** One ONNX session whose inputs and outputs lie in a shared region. */
export class HostSession {
  private readonly inputs: readonly Pointer[];
  private readonly outputs: readonly Pointer[];
  private readonly inputsEnd: number;

  private constructor(
    private readonly api: OrtApi,
    private readonly session: Pointer,
    private readonly region: SharedRegion,
    private readonly request: OpenRequest,
  ) {
    const memory = api.make('CreateCpuMemoryInfo', ARENA_ALLOCATOR, DEFAULT_MEMORY);
    const bind = (tensor: BoundTensor) => this.bind(memory, tensor);
    this.inputs = request.inputs.map(bind);
    this.outputs = request.outputs.map(bind);
    api.plain('ReleaseMemoryInfo', memory);
    this.inputsEnd = Math.min(...request.outputs.map(({ offset }) => offset));
  }

  /** @throws OrtStatusError when the runtime or the provider refuses the model */
  static open(api: OrtApi, environment: Pointer, request: OpenRequest): HostSession {
    const options = api.make('CreateSessionOptions');
    try {
      api.check('SetIntraOpNumThreads', options, request.threads);
      api.check('SetSessionGraphOptimizationLevel', options, ALL_OPTIMIZATIONS);
      for (const [key, value] of Object.entries(request.config)) {
        api.check('AddSessionConfigEntry', options, key, value);
      }
      if (request.provider !== null) appendProvider(api, environment, options, request.provider);
      const session = api.make('CreateSession', environment, request.model, options);
      return new HostSession(
        api,
        session,
        openRegion(api, request.region.path, request.region.bytes),
        request,
      );
    } finally {
      api.plain('ReleaseSessionOptions', options);
    }
  }

  /** Which provider got how many nodes, and the kinds of those nodes. */
  assignments(): Assignment[] {
    const { api } = this;
    const merged = new Map<string, { nodes: number; ops: Set<string> }>();
    for (const part of api.list('Session_GetEpGraphAssignmentInfo', this.session)) {
      const provider = api.text('EpAssignedSubgraph_GetEpName', part);
      const entry = merged.get(provider) ?? { nodes: 0, ops: new Set<string>() };
      for (const node of api.list('EpAssignedSubgraph_GetNodes', part)) {
        entry.nodes += 1;
        entry.ops.add(api.text('EpAssignedNode_GetOperatorType', node));
      }
      merged.set(provider, entry);
    }
    return [...merged].map(([provider, { nodes, ops }]) => ({ provider, nodes, ops: [...ops].sort() }));
  }

  /** Wall-clock time of the run in ms. */
  run(): number {
    const { request } = this;
    this.region.fetch(this.inputsEnd);
    const began = performance.now();
    const names = (tensors: readonly BoundTensor[]) => tensors.map(({ name }) => name);
    this.api.check(
      'Run',
      ...[this.session, null, names(request.inputs), this.inputs, this.inputs.length],
      ...[names(request.outputs), this.outputs.length, this.outputs],
    );
    const ms = performance.now() - began;
    this.region.store(this.inputsEnd);
    return ms;
  }

  close(): void {
    for (const value of [...this.inputs, ...this.outputs]) this.api.plain('ReleaseValue', value);
    this.api.plain('ReleaseSession', this.session);
    this.region.close();
  }

  private bind(memory: Pointer, { type, dims, offset }: BoundTensor): Pointer {
    const { code, bytes } = ELEMENT_TYPES[type];
    const size = dims.reduce((product, extent) => product * extent, bytes);
    const at = this.region.address + BigInt(offset);
    const extents = dims.map(BigInt);
    return this.api.make('CreateTensorWithDataAsOrtValue', memory, at, size, extents, dims.length, code);
  }
}

/** By name: on Linux the QNN provider sits on a device of type CPU, so the type says nothing. */
function appendProvider(
  api: OrtApi,
  environment: Pointer,
  options: Pointer,
  { name, options: settings }: NonNullable<OpenRequest['provider']>,
): void {
  const devices = api.list('GetEpDevices', environment);
  const chosen = devices.filter((device) => api.plain('EpDevice_EpName', device) === name).slice(0, 1);
  if (chosen.length === 0)
    throw new OrtStatusError(`the plugin offers no device for ${name} on this machine`);
  const keys = Object.keys(settings);
  const values = Object.values(settings);
  api.check(
    'SessionOptionsAppendExecutionProvider_V2',
    ...[options, environment, chosen, chosen.length, keys, values, keys.length],
  );
}
