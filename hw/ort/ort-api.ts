import { createRequire } from 'node:module';
import { API_VERSION, ORT_API } from './api-table.js';

type Koffi = typeof import('koffi');

/** An address. */
export type Pointer = bigint;

/** An error that ONNX Runtime or a plugin returned. */
export class OrtStatusError extends Error {}

/** Deep compilers run on koffi's own stack: what a graph compiler needs, not what a call usually does. */
const STACK_BYTES = 16 * 1024 * 1024;

/** Parameter types of every function used; all but those under `PLAIN` return a status. */
const SIGNATURES = {
  CreateEnv: ['int', 'const char *', 'OUT'],
  CreateSession: ['PTR', 'PATH', 'PTR', 'OUT'],
  Run: ['PTR', 'PTR', 'STRINGS', 'PTRS', 'size_t', 'STRINGS', 'size_t', 'PTRS'],
  CreateSessionOptions: ['OUT'],
  SetSessionGraphOptimizationLevel: ['PTR', 'int'],
  SetIntraOpNumThreads: ['PTR', 'int'],
  CreateTensorWithDataAsOrtValue: ['PTR', 'PTR', 'size_t', 'int64_t *', 'size_t', 'int', 'OUT'],
  CreateCpuMemoryInfo: ['int', 'int', 'OUT'],
  AddSessionConfigEntry: ['PTR', 'const char *', 'const char *'],
  RegisterExecutionProviderLibrary: ['PTR', 'const char *', 'PATH'],
  UnregisterExecutionProviderLibrary: ['PTR', 'const char *'],
  GetEpDevices: ['PTR', 'OUT', 'COUNT'],
  SessionOptionsAppendExecutionProvider_V2: ['PTR', 'PTR', 'PTRS', 'size_t', 'STRINGS', 'STRINGS', 'size_t'],
  Session_GetEpGraphAssignmentInfo: ['PTR', 'OUT', 'COUNT'],
  EpAssignedSubgraph_GetEpName: ['PTR', 'TEXT'],
  EpAssignedSubgraph_GetNodes: ['PTR', 'OUT', 'COUNT'],
  EpAssignedNode_GetName: ['PTR', 'TEXT'],
  EpAssignedNode_GetOperatorType: ['PTR', 'TEXT'],
} as const;

const PLAIN = {
  GetErrorMessage: ['const char *', ['PTR']],
  ReleaseEnv: ['void', ['PTR']],
  ReleaseStatus: ['void', ['PTR']],
  ReleaseMemoryInfo: ['void', ['PTR']],
  ReleaseSession: ['void', ['PTR']],
  ReleaseValue: ['void', ['PTR']],
  ReleaseSessionOptions: ['void', ['PTR']],
  EpDevice_EpName: ['const char *', ['PTR']],
  EpDevice_EpVendor: ['const char *', ['PTR']],
} as const;

type Argument = Pointer | number | string | null | readonly (Pointer | string | null | bigint)[] | unknown[];

/**
 * ONNX Runtime's C API, called through koffi. Only for the host process: a wrong step here ends the process.
 * @param library path of libonnxruntime
 */
export class OrtApi {
  readonly version: string;
  readonly koffi: Koffi;
  /** Held on purpose: when koffi's handle is collected, the library is unloaded under the table's feet. */
  readonly library: unknown;
  private readonly table: readonly Pointer[];
  private readonly types: ReadonlyMap<string, unknown>;
  private readonly prototypes = new Map<string, unknown>();

  constructor(library: string) {
    // koffi is an optional dependency: its absence is this constructor's error, not the module's.
    this.koffi = createRequire(import.meta.url)('koffi') as Koffi;
    const { koffi } = this;
    koffi.config({ sync_stack_size: STACK_BYTES });
    this.types = new Map<string, unknown>([
      ['PTR', 'void *'],
      ['PTRS', 'void **'],
      ['STRINGS', 'const char **'],
      // ORTCHAR_T is wchar_t on Windows.
      ['PATH', process.platform === 'win32' ? 'const char16_t *' : 'const char *'],
      ['OUT', koffi.out('void **')],
      ['COUNT', koffi.out('size_t *')],
      ['TEXT', koffi.out('const char **')],
    ]);
    const handle = koffi.load(library);
    this.library = handle;
    const base = handle.func('OrtGetApiBase', 'void *', [])();
    const [getApi, getVersion] = koffi.decode(base, koffi.array('void *', 2)) as [Pointer, Pointer];
    this.version = String(koffi.call(getVersion, koffi.proto('const char *', [])));
    const api = koffi.call(getApi, koffi.proto('void *', ['uint32_t']), API_VERSION) as Pointer | null;
    if (!api) {
      throw new OrtStatusError(
        `ONNX Runtime ${this.version} is older than 1.${API_VERSION}, which plugins need`,
      );
    }
    const entries = Math.max(...Object.values(ORT_API)) + 1;
    this.table = koffi.decode(api, koffi.array('void *', entries)) as Pointer[];
  }

  /** Calls a function that returns a status. @throws OrtStatusError with the runtime's message */
  check(name: keyof typeof SIGNATURES, ...args: Argument[]): void {
    const status = this.call(name, 'void *', SIGNATURES[name], args) as Pointer | null;
    if (!status) return;
    const message = String(this.plain('GetErrorMessage', status));
    this.plain('ReleaseStatus', status);
    throw new OrtStatusError(message);
  }

  /** Calls a function whose last argument receives a pointer, and returns it. */
  make(name: keyof typeof SIGNATURES, ...args: Argument[]): Pointer {
    const out: (Pointer | null)[] = [null];
    this.check(name, ...args, out);
    return out[0] as Pointer;
  }

  /** Calls a function that returns an array by pointer and count. */
  list(name: keyof typeof SIGNATURES, ...args: Argument[]): readonly Pointer[] {
    const out: (Pointer | null)[] = [null];
    const count = [0];
    this.check(name, ...args, out, count);
    const length = Number(count[0]);
    return length === 0 ? [] : (this.koffi.decode(out[0], this.koffi.array('void *', length)) as Pointer[]);
  }

  /** Calls a function whose last argument receives a string. */
  text(name: keyof typeof SIGNATURES, ...args: Argument[]): string {
    const out: (string | null)[] = [null];
    this.check(name, ...args, out);
    return out[0] ?? '';
  }

  plain(name: keyof typeof PLAIN, ...args: Argument[]): unknown {
    const [result, parameters] = PLAIN[name];
    return this.call(name, result, parameters, args);
  }

  private call(
    name: keyof typeof ORT_API,
    result: string,
    parameters: readonly string[],
    args: readonly Argument[],
  ): unknown {
    let prototype = this.prototypes.get(name);
    if (prototype === undefined) {
      const types = parameters.map((type) => (this.types.get(type) ?? type) as string);
      prototype = this.koffi.proto(result, types);
      this.prototypes.set(name, prototype);
    }
    return this.koffi.call(this.table[ORT_API[name]], prototype as string, ...args);
  }
}
