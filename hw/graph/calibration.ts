import { DataError } from '../../src/errors.js';

/** Smallest and largest value that an activation took. */
export interface ActivationRange {
  readonly min: number;
  readonly max: number;
}

/** Ranges of the inputs and outputs of linear layers, by tensor id, collected while a model decodes. */
export class Calibration {
  private readonly ranges = new Map<string, ActivationRange>();

  /** Widens the range of a tensor by these values. @throws DataError for a value that is no finite number */
  observe(tensor: string, values: Float32Array): void {
    let { min, max } = this.ranges.get(tensor) ?? { min: 0, max: 0 };
    for (const value of values) {
      if (!Number.isFinite(value)) throw new DataError(`calibration: ${tensor} takes the value ${value}`);
      if (value < min) min = value;
      if (value > max) max = value;
    }
    this.ranges.set(tensor, { min, max });
  }

  /** @throws DataError for a tensor that was never observed */
  range(tensor: string): ActivationRange {
    const found = this.ranges.get(tensor);
    if (found === undefined) throw new DataError(`calibration: ${tensor} was not observed`);
    return found;
  }

  get size(): number {
    return this.ranges.size;
  }
}
