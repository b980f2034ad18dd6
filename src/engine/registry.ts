import type { LoadedModel } from '../model/load.js';
import type { Compute } from '../onnx/compute.js';
import { unknownName } from '../util/nearest.js';
import { cooperative } from './cooperative.js';
import type { Engine } from './engine.js';
import type { TfjsBackend } from './tfjs/backends.js';

/** What a user may set about how a model is run. Every engine takes what concerns it and ignores the rest. */
export interface EngineSettings {
  /** Of tfjs. Default `wasm`. */
  readonly backend?: TfjsBackend;
  /** Threads of one operator. Default of ort: 1, sums then have one order on every machine; of ggml: all there are. */
  readonly threads?: number;
  /** Of ggml, by its name: `cpu`, `vulkan0`, `htp0`. Default `cpu`. */
  readonly device?: string;
  /** Of ort. Default `f32`. */
  readonly compute?: Compute;
}

/** What an engine may say and hear while it opens. */
export interface EngineHooks {
  readonly signal?: AbortSignal;
  /** Bytes of a conversion that happens on the first use of a file. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  /** Told when another backend takes the place of one that is missing. Without it, that is an error. */
  readonly onFallback?: (note: string) => void;
  /** Told what it will take, where that is much, before it is taken. */
  readonly onMemory?: (note: string) => void;
}

interface EngineEntry {
  readonly description: string;
  /** Settings that change what this engine does; the others have no effect on it. */
  readonly uses: readonly (keyof EngineSettings)[];
  /**
   * Whether the same inputs give the same bits on every machine. JavaScript and WebAssembly are specified to the bit;
   * native kernels choose instructions, and with them an order of sums, by the processor they find.
   */
  portable(settings: EngineSettings): boolean;
  /** @throws EnvironmentError when a package is not installed; DataError for damaged weights */
  open(model: LoadedModel, settings: EngineSettings, hooks: EngineHooks): Promise<Engine>;
}

/** Every way to run a model. A new engine is one entry here; its code is loaded when it is first opened. */
export const ENGINES = {
  tfjs: {
    description: 'the f32 reference',
    uses: ['backend'],
    portable: ({ backend }) => backend !== 'node',
    async open({ config, weights }, { backend = 'wasm' }, { onFallback, onMemory }) {
      const { createTfjsEngine } = await import('./tfjs/engine.js');
      const { memoryNote, tfjsMemory } = await import('./tfjs/memory.js');
      const note = memoryNote(tfjsMemory(config, weights));
      if (note !== null) onMemory?.(note);
      const { availableBackend } = await import('./tfjs/node-backend.js');
      return createTfjsEngine(config, weights, { backend: await availableBackend(backend, onFallback) });
    },
  },
  ort: {
    description: 'ONNX Runtime, weights as stored, several times faster',
    uses: ['threads', 'compute'],
    portable: () => false,
    async open({ config, weights, weightsPath }, { threads, compute }, { signal, onProgress }) {
      const { createOrtEngine } = await import('./ort/engine.js');
      return createOrtEngine(config, weights, { threads, compute, weightsPath, signal, onProgress });
    },
  },
  ggml: {
    description: "llama.cpp's kernels, weights as stored, on the CPU or another device it has",
    uses: ['threads', 'device'],
    portable: () => false,
    async open({ config, weights }, { threads, device }, { signal, onProgress }) {
      const { createGgmlEngine } = await import('./ggml/engine.js');
      return createGgmlEngine(config, weights, { threads, device, signal, onProgress });
    },
  },
  'npu-numerics': {
    description: "the NPU's arithmetic",
    uses: [],
    portable: () => true,
    async open({ config, weights }) {
      const { createNpuNumericsEngine } = await import('./npu-numerics/engine.js');
      return createNpuNumericsEngine(config, weights);
    },
  },
} as const satisfies Record<string, EngineEntry>;

/** Name of an engine. */
export type EngineName = keyof typeof ENGINES;

export const ENGINE_NAMES = Object.keys(ENGINES) as [EngineName, ...EngineName[]];

/** @throws UsageError with the nearest names */
export function engineByName(name: string): EngineName {
  const found = ENGINE_NAMES.find((known) => known === name);
  if (found === undefined) throw unknownName('engine', name, ENGINE_NAMES);
  return found;
}

/** One line for help texts: every engine with what it is. */
export function describeEngines(): string {
  return ENGINE_NAMES.map((name) => `${name}: ${ENGINES[name].description}`).join('; ');
}

/** The settings that make a difference to this engine: two runs that agree in them ran the same. */
export function settingsInEffect(name: EngineName, settings: EngineSettings): EngineSettings {
  const uses: readonly string[] = ENGINES[name].uses;
  return Object.fromEntries(Object.entries(settings).filter(([key]) => uses.includes(key)));
}

/**
 * Starts an engine on a loaded model. The event loop turns between its passes, so that a signal is heard. The
 * caller disposes it; the model's weights may be closed once it is open.
 * @throws EnvironmentError when the engine or its backend is not installed; DataError for damaged weights
 */
export async function openEngine(
  name: EngineName,
  model: LoadedModel,
  settings: EngineSettings = {},
  hooks: EngineHooks = {},
): Promise<Engine> {
  return cooperative(await ENGINES[engineByName(name)].open(model, settings, hooks));
}
