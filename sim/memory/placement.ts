/** An operator as SOMR sees it (arXiv:2606.13740 section 3.4). */
export interface PlacementItem {
  readonly id: string;
  /** S: long-lived bytes it needs. */
  readonly bytes: number;
  /** C: its compute time on the NPU in ms. */
  readonly computeMs: number;
  /** T: time to prepare its data and make it visible, in ms. */
  readonly transferMs: number;
  /** May be pulled forward over operators that do not fit. @defaultValue false */
  readonly independent?: boolean;
}

/** Operators whose data is resident together, and those streamed behind their compute. */
export interface PlacementPhase {
  readonly resident: readonly string[];
  readonly temporary: readonly string[];
}

/**
 * Phase-alternating placement, the reading that the worked example of arXiv:2606.13740 Fig. 10 forces: a maximal
 * run of operators fits the budget and is resident, then following operators are temporary as long as their
 * transfers stay strictly below the run's compute. What does not fit makes way for a later independent operator.
 * @param budgetBytes for the residents of one phase
 */
export function placeAlternating(items: readonly PlacementItem[], budgetBytes: number): PlacementPhase[] {
  const left = [...items];
  const phases: PlacementPhase[] = [];
  while (left.length > 0) {
    const resident = takeWhile(
      left,
      (item, sum) => sum + item.bytes <= budgetBytes,
      (item) => item.bytes,
    );
    if (resident.length === 0) {
      const stuck = left[0] as PlacementItem;
      throw new Error(`${stuck.id} needs ${stuck.bytes} B, more than the budget of ${budgetBytes} B`);
    }
    const compute = resident.reduce((sum, item) => sum + item.computeMs, 0);
    const temporary = takeWhile(
      left,
      (item, sum) => sum + item.transferMs < compute,
      (item) => item.transferMs,
    );
    phases.push({ resident: resident.map((item) => item.id), temporary: temporary.map((item) => item.id) });
  }
  return phases;
}

/** Removes and returns the leading items that are accepted; past the first refusal only independent ones. */
function takeWhile(
  left: PlacementItem[],
  accept: (item: PlacementItem, sum: number) => boolean,
  weigh: (item: PlacementItem) => number,
): PlacementItem[] {
  const taken: PlacementItem[] = [];
  let sum = 0;
  let blocked = false;
  for (let at = 0; at < left.length; ) {
    const item = left[at] as PlacementItem;
    if ((!blocked || item.independent === true) && accept(item, sum)) {
      taken.push(item);
      sum += weigh(item);
      left.splice(at, 1);
    } else {
      blocked = true;
      at++;
    }
  }
  return taken;
}

/**
 * Global placement, the reading of the prose: residents keep their addresses across steps, the rest is staged
 * every step. Staged items are spread evenly over the execution order, so that the compute between two of them
 * hides a copy. Whole tensors leave gaps, so where copies cannot be hidden a slightly larger budget may do worse.
 * @param bytes of each item, in order of execution
 * @returns positions of the staged items, in order; empty when everything fits
 */
export function placeGlobal(bytes: readonly number[], budgetBytes: number): number[] {
  const staged = new Uint8Array(bytes.length);
  let resident = 0;
  for (const size of bytes) resident += size;
  const take = (at: number): void => {
    staged[at] = 1;
    resident -= bytes[at];
  };
  // Error diffusion at the share that must go; a second round with the share still missing closes the gap that
  // whole items leave.
  while (resident > budgetBytes) {
    const share = Math.min(1, (resident - budgetBytes) / resident);
    let debt = 0;
    let taken = false;
    let largest = -1;
    for (let at = 0; at < bytes.length; at++) {
      const size = bytes[at];
      if (staged[at] === 1 || size === 0) continue;
      if (size > (bytes[largest] ?? 0)) largest = at;
      debt += size * share;
      if (debt < size) continue;
      debt -= size;
      take(at);
      taken = true;
    }
    if (!taken) take(largest);
  }
  const places: number[] = [];
  for (let at = 0; at < bytes.length; at++) if (staged[at] === 1) places.push(at);
  return places;
}
