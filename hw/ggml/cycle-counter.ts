const WRAP = 2 ** 32;

/**
 * Puts readings of a counter that is printed with 32 bits on one axis. Neighbouring readings must be less than half
 * a wrap apart (about a second at 2 GHz), in either direction: lines of a log are not in the order of time.
 */
export class CycleCounter {
  private last: number | null = null;

  /** A reading with all its bits. */
  set(full: number): void {
    this.last = full;
  }

  /** @returns the full value closest to the last one; the reading itself when it is the first */
  unwrap(reading: number): number {
    if (this.last !== null) {
      const low = ((this.last % WRAP) + WRAP) % WRAP;
      let step = reading - low;
      if (step > WRAP / 2) step -= WRAP;
      if (step < -WRAP / 2) step += WRAP;
      this.last += step;
    } else {
      this.last = reading;
    }
    return this.last;
  }
}
