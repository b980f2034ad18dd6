import type { ModelConfig } from '../model/config.js';
import type { KvRef, Pass } from '../pass/pass.js';

/** Logits of the rows a pass asked for. */
export interface PassResult {
  /** Row-major [pass.logits.length, vocab]. Valid until the next call. */
  readonly logits: Float32Array;
}

/** What ran where. */
export interface RanOn {
  /** Name of the device. */
  readonly device: string;
  /** Operators that were run, on all places. */
  readonly operators: number;
  /** Those that the device does not compute and that ran on the CPU, counted by name. */
  readonly onCpu: Readonly<Record<string, number>>;
}

/** Operators of one name in a pass. */
export interface OperatorTime {
  readonly operator: string;
  /** In a pass. */
  readonly count: number;
  /** Wall-clock ms of all of them, for every repetition. */
  readonly samplesMs: readonly number[];
}

/**
 * Executes the operator graph of a pass. Holds the KV entries; versions and lifetimes are the policy's business.
 */
export interface Engine {
  readonly name: string;
  readonly config: ModelConfig;
  /**
   * Runs one pass. Fresh K and V of every row are kept under (row.position, pass.version) until `retain`
   * drops them. @throws CheckError when a read names an entry that does not exist.
   */
  run(pass: Pass): Promise<PassResult>;
  /** Frees every KV entry not listed. */
  retain(live: readonly KvRef[]): void;
  /** Copies of K and V of an entry, [layers][kvHeads * headDim] each (for the verifier and tests). */
  readKv(ref: KvRef): { readonly k: readonly Float32Array[]; readonly v: readonly Float32Array[] };
  /**
   * Where the operators of all passes so far ran, for engines that compute on a device with the CPU beside it.
   * Undefined where there is one place.
   */
  ranOn?(): RanOn;
  /** Threads of the CPU that the last pass ran on, for engines that choose them by its size. */
  lastThreads?(): number;
  /**
   * Times the operators of a pass one by one, for engines that can; its K and V are not kept.
   * @throws UsageError where the device cannot
   */
  operatorTimes?(pass: Pass, repetitions: number): Promise<readonly OperatorTime[]>;
  /** Frees native memory. */
  dispose(): void;
}
