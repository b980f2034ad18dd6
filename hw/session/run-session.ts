import type { Engine } from '../../src/engine/engine.js';
import type { RunNumerics } from '../choices.js';
import type { DeviceRecord, Failure } from '../record/device-record.js';

/** An engine whose run is recorded: what it ran on, with which libraries, and how long every pass took. */
export interface RunSession {
  readonly engine: Engine;
  readonly numerics: RunNumerics;
  /**
   * Ends the engine and states what ran.
   * @param failure why the run did not come to its end
   */
  finish(failure?: Failure | null): Promise<DeviceRecord>;
}
