import { closeSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { fromF16Bits, toF16Bits } from '../../src/model/formats/f16.js';
import { type BoundTensor, ELEMENT_TYPES } from '../ort/protocol.js';
import type { BoundaryTensor, StepIo } from './step-io.js';

const LINE_BYTES = 64;

/**
 * The file that holds the inputs and outputs of a session, which the host process maps. Inputs come first; each tensor
 * starts on a cache line of its own. Halves are converted on the way.
 */
export class TensorRegion {
  readonly inputs: readonly BoundTensor[];
  readonly outputs: readonly BoundTensor[];
  readonly bytes: number;
  private readonly file: number;
  private readonly bound = new Map<string, BoundTensor>();

  constructor(
    readonly path: string,
    io: StepIo,
  ) {
    let end = 0;
    const place = ({ id, name, type, dims }: BoundaryTensor): BoundTensor => {
      const offset = Math.ceil(end / LINE_BYTES) * LINE_BYTES;
      end = offset + dims.reduce((product, extent) => product * extent, ELEMENT_TYPES[type].bytes);
      const bound = { name, type, dims: [...dims], offset };
      this.bound.set(id, bound);
      return bound;
    };
    this.inputs = io.inputs.map(place);
    this.outputs = io.outputs.map(place);
    this.bytes = end;
    this.file = openSync(path, 'w+');
    ftruncateSync(this.file, end);
  }

  /** Writes an input from its start; what lies behind stays. */
  write(id: string, values: Float32Array | Int32Array): void {
    const { type, offset } = this.tensor(id);
    const stored = type === 'f16' ? Uint16Array.from(values, toF16Bits) : values;
    writeSync(this.file, stored, 0, stored.byteLength, offset);
  }

  /** The first `rows` rows of an output. */
  read(id: string, rows: number): Float32Array {
    const { type, offset, dims } = this.tensor(id);
    const length = rows * (dims.at(-1) ?? 1);
    const stored = type === 'f16' ? new Uint16Array(length) : new Float32Array(length);
    readSync(this.file, stored, 0, stored.byteLength, offset);
    return stored instanceof Float32Array ? stored : Float32Array.from(stored, fromF16Bits);
  }

  close(): void {
    closeSync(this.file);
  }

  private tensor(id: string): BoundTensor {
    const found = this.bound.get(id);
    if (found === undefined) throw new Error(`no tensor ${id} crosses the boundary of the graph`);
    return found;
  }
}
