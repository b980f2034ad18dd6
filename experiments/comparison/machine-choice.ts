import type { MemoryMode } from '../../sim/memory/runtime.js';

/** A machine to time on. */
export interface MachineChoice {
  readonly stack: 'cpu' | 'llada.cpp';
  readonly memory: MemoryMode;
  /** Numbers of the hardware profile at other values than its own, e.g. for a sweep. */
  readonly hardware?: Readonly<Record<string, string>>;
  /** The same of the software stack. */
  readonly software?: Readonly<Record<string, string>>;
}
