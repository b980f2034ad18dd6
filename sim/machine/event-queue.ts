/**
 * Binary heap of (time, value), earliest first; equal times leave in order of insertion, so that a simulation
 * has exactly one outcome.
 */
export class EventQueue {
  private readonly times: number[] = [];
  private readonly sequences: number[] = [];
  private readonly values: number[] = [];
  private next = 0;

  get size(): number {
    return this.times.length;
  }

  push(timeMs: number, value: number): void {
    let at = this.times.length;
    this.times.push(timeMs);
    this.sequences.push(this.next);
    this.values.push(value);
    this.next++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.before(at, parent)) break;
      this.swap(at, parent);
      at = parent;
    }
  }

  /** Earliest event, or undefined when there is none. */
  pop(): { timeMs: number; value: number } | undefined {
    const timeMs = this.times[0];
    const value = this.values[0];
    if (timeMs === undefined || value === undefined) return undefined;
    const last = this.times.length - 1;
    this.swap(0, last);
    this.times.pop();
    this.sequences.pop();
    this.values.pop();
    this.sink();
    return { timeMs, value };
  }

  private sink(): void {
    const size = this.times.length;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= size) return;
      const right = left + 1;
      const child = right < size && this.before(right, left) ? right : left;
      if (!this.before(child, at)) return;
      this.swap(child, at);
      at = child;
    }
  }

  private before(a: number, b: number): boolean {
    const ta = this.times[a] as number;
    const tb = this.times[b] as number;
    return ta < tb || (ta === tb && (this.sequences[a] as number) < (this.sequences[b] as number));
  }

  private swap(a: number, b: number): void {
    for (const column of [this.times, this.sequences, this.values]) {
      const held = column[a] as number;
      column[a] = column[b] as number;
      column[b] = held;
    }
  }
}
