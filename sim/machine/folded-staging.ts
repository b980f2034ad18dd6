/** A pass under SOMR. Operators are named by their place in the folded graph. */
export interface StagedSequence {
  /** Operators in order of execution, and which of them the pass runs. */
  readonly order: readonly number[];
  readonly runs: readonly boolean[];
  /** Per operator of the folded graph: main path before it starts (dispatch, or work on another device). */
  readonly beforeMs: readonly number[];
  /** Per operator of the folded graph: on the NPU, alone and beside a staging copy. */
  readonly aloneMs: readonly number[];
  readonly besideMs: readonly number[];
  /** Per entry of `order`, the batch that it reads, -1 for none. */
  readonly batch: readonly number[];
  /** Per batch, the last entry of `order` that reads it, and the time of its copy. */
  readonly lastReader: readonly number[];
  readonly copyMs: readonly number[];
  /** After the last operator. */
  readonly afterMs: number;
}

export interface StagedTime {
  /** Waiting for copies. */
  readonly stallMs: number;
  /** Operators on the NPU, slowed down by copies as far as they ran beside them. */
  readonly npuMs: number;
}

/**
 * The second of two equal passes under SOMR, as a recurrence over operators instead of events: an operator waits for
 * its batch, and a batch that was read for the last time makes room for the next copy.
 */
export function stagedPass(sequence: StagedSequence): StagedTime {
  const { order, runs, beforeMs, aloneMs, besideMs, batch, lastReader, copyMs, afterMs } = sequence;
  const count = copyMs.length;
  let nowMs = 0;
  let stallMs = 0;
  let npuMs = 0;
  /** Copies into the two slots, the one to be read first; both are filled before the first pass. */
  let [startA, endA, startB, endB] = [0, 0, 0, 0];
  let copyFreeMs = 0;
  /** Batch to be read next. */
  let current = 0;
  const release = (): void => {
    // Room for the batch after the one that is in the other slot.
    const next = (current + 2) % count;
    const free = Math.max(nowMs, endA, copyFreeMs);
    startA = startB;
    endA = endB;
    startB = free;
    endB = free + (copyMs[next] as number);
    copyFreeMs = endB;
    current = (current + 1) % count;
  };
  for (let pass = 0; pass < 2; pass++) {
    stallMs = 0;
    npuMs = 0;
    for (let at = 0; at < order.length; at++) {
      if (runs[at] !== true) continue;
      const op = order[at] as number;
      const own = batch[at] as number;
      if (own >= 0) {
        // Batches that nothing reads are passed over.
        while (current !== own) release();
        if (endA > nowMs) {
          stallMs += endA - nowMs;
          nowMs = endA;
        }
      }
      nowMs += beforeMs[op] as number;
      const alone = aloneMs[op] as number;
      const beside = besideMs[op] as number;
      let left = 1;
      let endMs = nowMs;
      if (beside > alone) {
        // At its slower pace while the first, then while the second copy runs.
        for (let copy = 0; copy < 2 && left > 0; copy++) {
          const from = copy === 0 ? startA : startB;
          const until = copy === 0 ? endA : endB;
          if (until <= endMs) continue;
          const gap = Math.min(left, Math.max(0, from - endMs) / alone);
          left -= gap;
          endMs += gap * alone;
          const slow = Math.min(left, Math.max(0, until - endMs) / beside);
          left -= slow;
          endMs += slow * beside;
        }
      }
      endMs += left * alone;
      npuMs += endMs - nowMs;
      nowMs = endMs;
      if (own >= 0 && lastReader[own] === at) release();
    }
    while (current !== 0) release();
    nowMs += afterMs;
  }
  return { stallMs, npuMs };
}
