import type { TextModel } from '../../../lab/open.js';

export interface MeasuredLadderOptions {
  /** As it was named: the process that measures opens it again. */
  readonly modelName: string;
  /** Open; the caller closes its weights. */
  readonly model: TextModel;
  /** Device of ggml for the rows of the NPU; those of the CPU run on `cpu`. */
  readonly device: string;
  /** Of the CPU. Default: as the engine chooses. */
  readonly threads?: number;
  readonly profile: string;
  readonly seed: number;
  readonly firstIndex: number;
  readonly prompts: number;
  readonly genLength: number;
  readonly blockLength: number;
  /** Folder of the run records. */
  readonly out: string;
}
