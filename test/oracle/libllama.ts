import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * llama.cpp as an oracle: the prebuilt libllama of node-llama-cpp's platform package, called through its C API.
 *
 * Its parameter structs are passed by value and grow from version to version, so they are treated as arrays at least
 * as large, filled by the library itself; only leading fields of the context are touched.
 */
export interface Llama {
  /** File of the library, e.g. `libllama.v0.5.0.so`. */
  readonly version: string;
  open(path: string, options?: LlamaOptions): LlamaModel;
}

export interface LlamaOptions {
  /** Most tokens of one call. Default 64. */
  readonly tokens?: number;
  readonly threads?: number;
  /**
   * Its own choice of flash attention and of K and V in f16, for timing, and logits that are valid until the next call; default:
   * what is exact, and stays.
   */
  readonly asShipped?: boolean;
}

export interface LlamaModel {
  readonly vocab: number;
  /** Logits of every row at positions 0, 1, ..., row-major [ids, vocab]; no cache is kept between calls. */
  logits(ids: readonly number[]): Float32Array;
  /** Empties the cache of a causal model. */
  reset(): void;
  /** Logits of the last of some rows that follow those since the last `reset`, and that see them. */
  append(ids: readonly number[]): Float32Array;
  /** Token ids of a text, special tokens in it recognised, none added. */
  tokenize(text: string): number[];
  close(): void;
}

const PACKAGE = '@node-llama-cpp/linux-x64';

/** Keys behind the prefix of an architecture that the library knows, as its text segment names them. */
export function llamaKeys(): readonly string[] {
  return namesLike(/%s\.([a-z0-9_.]+)\0/g);
}

/** Tensors of a layer that the library knows, e.g. `attn_q`. */
export function llamaTensors(): readonly string[] {
  return namesLike(/blk\.%d\.([a-z0-9_.]+)\0/g);
}

function namesLike(pattern: RegExp): readonly string[] {
  const directory = findLibrary();
  if (directory === null) return [];
  const file = readdirSync(directory).find((name) => /^libllama\.v/.test(name));
  const text = readFileSync(join(directory, file ?? ''), 'latin1');
  return [...new Set([...text.matchAll(pattern)].map(([, key]) => key))].sort();
}

/** Why there is no oracle on this machine; null when there is. */
export const llamaMissing: string | null = findLibrary() === null ? `${PACKAGE} is not installed` : null;

function findLibrary(): string | null {
  try {
    const entry = createRequire(import.meta.url).resolve(PACKAGE);
    return join(dirname(entry), '..', 'bins', 'linux-x64');
  } catch {
    return null;
  }
}

const CONTEXT_FIELDS = 128;

let loaded: Promise<Llama> | undefined;

/** @throws Error when the package or koffi is not installed */
export function loadLlama(): Promise<Llama> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Llama> {
  const directory = findLibrary();
  if (directory === null) throw new Error(llamaMissing ?? 'no libllama');
  const { default: koffi } = await import('koffi');
  const file = (pattern: RegExp): string => {
    const name = readdirSync(directory).find((candidate) => pattern.test(candidate));
    if (name === undefined) throw new Error(`no ${pattern} in ${directory}`);
    return name;
  };
  koffi.load(join(directory, file(/^libggml-base\.so/)), { global: true });
  const ggml = koffi.load(join(directory, file(/^libggml\.v/)), { global: true });
  const version = file(/^libllama\.v/);
  const llama = koffi.load(join(directory, version));

  const modelParams = koffi.struct({ words: koffi.array('int64', 64) });
  const contextParams = koffi.struct({ fields: koffi.array('int32', CONTEXT_FIELDS) });
  const batch = koffi.struct({
    n_tokens: 'int32',
    token: koffi.pointer('int32'),
    embd: 'void *',
    pos: koffi.pointer('int32'),
    n_seq_id: koffi.pointer('int32'),
    seq_id: 'void *',
    logits: koffi.pointer('int8'),
  });
  const silent = koffi.register(
    () => {},
    // Without a name: koffi has one table of names for a process, and modules may be loaded twice in one.
    koffi.pointer(koffi.proto('void', ['int', 'const char *', 'void *'])),
  );
  llama.func('llama_log_set', 'void', ['void *', 'void *'])(silent, null);
  ggml.func('ggml_backend_load_all_from_path', 'void', ['str'])(`${directory}/`);
  llama.func('llama_backend_init', 'void', [])();

  const call = {
    modelDefaults: llama.func('llama_model_default_params', modelParams, []),
    contextDefaults: llama.func('llama_context_default_params', contextParams, []),
    load: llama.func('llama_model_load_from_file', 'void *', ['str', modelParams]),
    init: llama.func('llama_init_from_model', 'void *', ['void *', contextParams]),
    freeModel: llama.func('llama_model_free', 'void', ['void *']),
    freeContext: llama.func('llama_free', 'void', ['void *']),
    vocabOf: llama.func('llama_model_get_vocab', 'void *', ['void *']),
    vocabSize: llama.func('llama_vocab_n_tokens', 'int32', ['void *']),
    threads: llama.func('llama_set_n_threads', 'void', ['void *', 'int32', 'int32']),
    memory: llama.func('llama_get_memory', 'void *', ['void *']),
    clear: llama.func('llama_memory_clear', 'void', ['void *', 'bool']),
    newBatch: llama.func('llama_batch_init', batch, ['int32', 'int32', 'int32']),
    freeBatch: llama.func('llama_batch_free', 'void', [batch]),
    decode: llama.func('llama_decode', 'int32', ['void *', batch]),
    logits: llama.func('llama_get_logits', 'void *', ['void *']),
    tokenize: llama.func('llama_tokenize', 'int32', [
      'void *',
      'void *',
      'int32',
      'void *',
      'int32',
      'bool',
      'bool',
    ]),
  };

  return {
    version,
    open: (path, { tokens = 64, threads = 1, asShipped = false } = {}) => {
      const model = call.load(path, call.modelDefaults());
      if (model === null) throw new Error(`llama.cpp does not load ${path}`);
      const params = call.contextDefaults() as { fields: Int32Array };
      // n_ctx, n_batch, n_ubatch: all rows in one micro-batch, as attention that sees every row needs.
      for (const field of [0, 1, 2]) params.fields[field] = tokens;
      // Four enums default to -1; the last is flash attention, whose f16 K and V would cost three digits: off.
      const enums = [4, 5, 6, 7, 8, 9, 10, 11, 12, 13].filter((field) => params.fields[field] === -1);
      if (!asShipped) params.fields[enums.at(-1) ?? 0] = 0;
      // type_k and type_v: f16 (1) by default, f32 (0) for a causal model to be compared to the last digits.
      const kv = params.fields.findIndex((v, i) => i > 15 && v === 1 && params.fields[i + 1] === 1);
      if (kv < 0) throw new Error(`context parameters of ${version} have another layout`);
      if (!asShipped) params.fields.fill(0, kv, kv + 2);
      const context = call.init(model, params);
      if (context === null) throw new Error(`llama.cpp cannot make a context for ${path}`);
      call.threads(context, threads, threads);
      const vocabulary = call.vocabOf(model);
      const vocab = call.vocabSize(vocabulary) as number;
      const memory = call.memory(context);
      /** Rows in the cache of `append`. */
      let held = 0;
      const run = (ids: readonly number[], start: number, wanted: (row: number) => boolean): Float32Array => {
        const rows = [...ids.keys()];
        const input = call.newBatch(ids.length, 0, 1) as Record<string, unknown>;
        input.n_tokens = ids.length;
        const ints = koffi.array('int32', ids.length);
        koffi.encode(input.token, ints, [...ids]);
        koffi.encode(
          input.pos,
          ints,
          rows.map((row) => start + row),
        );
        koffi.encode(
          input.n_seq_id,
          ints,
          rows.map(() => 1),
        );
        koffi.encode(
          input.logits,
          koffi.array('int8', ids.length),
          rows.map((row) => (wanted(row) ? 1 : 0)),
        );
        const sequences = koffi.decode(input.seq_id, koffi.array('void *', ids.length)) as unknown[];
        for (const sequence of sequences) koffi.encode(sequence, 'int32', 0);
        const status = call.decode(context, input) as number;
        call.freeBatch(input);
        if (status !== 0) throw new Error(`llama.cpp does not run ${path}: ${status}`);
        const count = rows.filter(wanted).length;
        const values = new Float32Array(koffi.view(call.logits(context), count * vocab * 4));
        // What is timed reads them where they are.
        return asShipped ? values : values.slice();
      };
      return {
        vocab,
        logits: (ids) => {
          // Only causal models keep a cache; it would otherwise grow from call to call.
          if (memory !== null) call.clear(memory, true);
          return run(ids, 0, () => true);
        },
        reset: () => {
          call.clear(memory, true);
          held = 0;
        },
        append: (ids) => {
          const logits = run(ids, held, (row) => row === ids.length - 1);
          held += ids.length;
          return logits;
        },
        tokenize: (text) => {
          const bytes = Buffer.from(text, 'utf8');
          const ids = new Int32Array(bytes.length + 1);
          const count = call.tokenize(
            vocabulary,
            bytes,
            bytes.length,
            ids,
            ids.length,
            false,
            true,
          ) as number;
          if (count < 0) throw new Error(`llama.cpp needs room for ${-count} tokens`);
          return [...ids.subarray(0, count)];
        },
        close: () => {
          call.freeContext(context);
          call.freeModel(model);
        },
      };
    },
  };
}
