const WRAP = 2 ** 32;
/** How far before the start of its batch a reading may be: an eighth of a second at 2 GHz. */
const BEFORE = 2 ** 28;

/**
 * Puts readings of a counter that is printed with 32 bits on one axis.
 *
 * After `set`, readings are those from that moment on, up to a wrap later (2 s at 2 GHz), in any order: the log
 * gives a batch's operators, then what each thread did, thread by thread. Without it neighbouring readings must be less
 * than half a wrap apart.
 */
export class CycleCounter {
  private anchor: number | null = null;
  private last: number | null = null;

  /** A reading with all its bits: the start of a batch. */
  set(full: number): void {
    this.anchor = full;
  }

  /** @returns the full value of a reading; the reading itself when it is the first of all */
  unwrap(reading: number): number {
    if (this.anchor !== null) {
      const after = modulo(reading - this.anchor);
      return this.anchor + (after > WRAP - BEFORE ? after - WRAP : after);
    }
    if (this.last === null) this.last = reading;
    else {
      const after = modulo(reading - this.last);
      this.last += after > WRAP / 2 ? after - WRAP : after;
    }
    return this.last;
  }
}

const modulo = (value: number): number => ((value % WRAP) + WRAP) % WRAP;
