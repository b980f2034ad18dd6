import { UsageError } from '../../src/errors.js';
import { OnDemandMemory, type ReplacementRule } from './on-demand.js';
import type { MemoryContext } from './regions.js';
import { type MemoryMode, type MemoryRuntime, UnlimitedMemory } from './runtime.js';
import { SomrMemory } from './somr.js';
import { type PlacementReading, SomrPlanner } from './somr-plan.js';
import { buffersOf, unitsOf, type WeightUnit } from './units.js';

/** Modes in which the window is a limit. */
export type LimitedMode = Exclude<MemoryMode, 'unlimited'>;

/**
 * Makes runtimes of a mode of a window that is a limit.
 * - `on-demand`: whole backend buffers are mapped when an operator needs them, least recently used out;
 * - `paging`: the first tensors that fit stay for good, the others are mapped one by one when needed, and the
 *   NPU waits (replacement stays, graph-guided placement and pipelined staging are off);
 * - `somr`: residents plus two-slot staging beside the NPU.
 * @returns a function whose every call gives a runtime with nothing mapped; what they find out about the window is shared
 * @throws UsageError for a window that no weight fits
 */
export function memoryFactory(
  mode: LimitedMode,
  context: MemoryContext,
  placement: PlacementReading = 'global',
): () => MemoryRuntime {
  const units = unitsOf(context.weights, context.window.alignment);
  if (units.length === 0) return () => new UnlimitedMemory();
  const largest = units.reduce((best, unit) => (unit.bytes > best.bytes ? unit : best));
  if (largest.bytes > context.window.bytes) {
    throw new UsageError(
      `${largest.id} (${largest.bytes} B) is ${largest.bytes - context.window.bytes} B larger than the address window`,
    );
  }
  if (mode === 'somr') {
    const planner = new SomrPlanner(context, units, placement);
    return () => new SomrMemory(planner);
  }
  const rule: ReplacementRule =
    mode === 'paging'
      ? (budget) => ({ units, pinned: firstThatFit(units, budget, context) })
      : (budget) => ({ units: wholeBuffers(units, budget, context), pinned: new Set() });
  return () => new OnDemandMemory(mode, context, rule);
}

function wholeBuffers(units: readonly WeightUnit[], budgetBytes: number, context: MemoryContext) {
  const { alignment, maxMap } = context.window;
  // At least two buffers must fit, or there is nothing to replace.
  const half = Math.floor(budgetBytes / 2 / alignment) * alignment;
  return buffersOf(units, Math.min(context.maxBufferBytes, maxMap, half));
}

/** Units in order of use that fit while room for the largest other one remains. */
function firstThatFit(
  units: readonly WeightUnit[],
  budgetBytes: number,
  context: MemoryContext,
): Set<number> {
  const align = (bytes: number): number =>
    Math.ceil(bytes / context.window.alignment) * context.window.alignment;
  const total = units.reduce((sum, unit) => sum + align(unit.bytes), 0);
  const largest = units.reduce((best, unit) => Math.max(best, align(unit.bytes)), 0);
  const pinned = new Set<number>();
  let left = total <= budgetBytes ? budgetBytes : budgetBytes - largest;
  let entries = context.window.mapperEntries - 3;
  units.forEach((unit, at) => {
    const bytes = align(unit.bytes);
    if (bytes > left || entries <= 0) return;
    pinned.add(at);
    left -= bytes;
    entries--;
  });
  return pinned;
}
