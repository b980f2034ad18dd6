import { EnvironmentError } from '../../errors.js';
import type { Pointer } from './api.js';
import { findDevice, type GgmlDevice } from './devices.js';
import type { Ggml } from './library.js';

/** A device ready to compute, with the CPU beside it for what it cannot. */
export interface Backend {
  readonly device: GgmlDevice;
  readonly pointer: Pointer;
  /** Of the device itself. */
  readonly devicePointer: Pointer;
  /** Null where the device is the CPU. */
  readonly cpu: Pointer | null;
  /** Where tensors of the device lie by default. */
  readonly bufferType: Pointer;
  /** Layouts its products are faster with, the best first: repacked rows, tiles of AMX. */
  readonly extraBufferTypes: readonly Pointer[];
  /** Threads of the CPU from the next graph on. */
  useThreads(threads: number): void;
  free(): void;
}

/** Room in the list that ggml ends with NULL. */
const MAX_EXTRA_TYPES = 8;

/** @throws EnvironmentError when the device is not there or cannot be started */
export function openBackend(ggml: Ggml, name: string): Backend {
  const { api, koffi } = ggml;
  const start = (wanted: string) => {
    const found = findDevice(ggml, wanted);
    const pointer = api.ggml_backend_dev_init(found.pointer, null);
    if (!pointer)
      throw new EnvironmentError(
        `engine ggml: device ${found.name} (${found.description}) cannot be started; use --device cpu`,
      );
    return { found, pointer };
  };
  const procedure = (device: Pointer, symbol: string): Pointer =>
    api.ggml_backend_reg_get_proc_address(api.ggml_backend_dev_backend_reg(device), symbol);
  const main = start(name);
  const { pointer: devicePointer, ...device } = main.found;
  const beside = device.type === 'cpu' ? null : start('cpu');
  const ofCpu = beside ?? main;
  const setThreads = procedure(ofCpu.found.pointer, 'ggml_backend_set_n_threads');
  const prototype = koffi.proto('void', ['void *', 'int']);
  let current = 0;
  const extra = procedure(devicePointer, 'ggml_backend_dev_get_extra_bufts');
  const list = extra
    ? (koffi.call(extra, koffi.proto('void *', ['void *']), devicePointer) as Pointer | null)
    : null;
  const types = list
    ? (koffi.decode(list, koffi.array('void *', MAX_EXTRA_TYPES)) as (Pointer | null)[])
    : [];
  const end = types.findIndex((type) => !type);
  return {
    device,
    pointer: main.pointer,
    devicePointer,
    cpu: beside?.pointer ?? null,
    bufferType: api.ggml_backend_dev_buffer_type(devicePointer),
    extraBufferTypes: (end < 0 ? types : types.slice(0, end)) as Pointer[],
    useThreads: (threads) => {
      if (threads === current || !setThreads) return;
      koffi.call(setThreads, prototype, ofCpu.pointer, threads);
      current = threads;
    },
    free: () => {
      api.ggml_backend_free(main.pointer);
      if (beside !== null) api.ggml_backend_free(beside.pointer);
    },
  };
}
