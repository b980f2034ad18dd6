import type { Machine } from '../../sim/machine/machine.js';
import { denoisingShape } from '../../sim/workload/steady-step.js';
import { CheckError } from '../../src/errors.js';
import type { Workbench } from './workbench.js';

/** Layer that stands for all when one operator is timed: all layers have the same shapes. */
const ONE_LAYER = 0;

/** ms of the FFN down projection of one layer by rows, on the NPU with all weights mapped and on the CPU. */
export function ffnDownTimes(bench: Workbench, rows: readonly number[]): { npu: number[]; cpu: number[] } {
  const on = (stack: 'llada.cpp' | 'cpu'): number[] => {
    const machine = bench.machine(stack, 'unlimited', { record: true, layers: 1 });
    return rows.map((each) => ffnDownMs(machine, each));
  };
  return { npu: on('llada.cpp'), cpu: on('cpu') };
}

/**
 * Time of the FFN down projection on a recording machine, from its first unit starting to its last one ending,
 * without dispatch.
 */
function ffnDownMs(machine: Machine, rows: number): number {
  machine.reset();
  machine.timePass(denoisingShape(rows));
  const spans = machine
    .timeline()
    .spans.filter(({ category, layer }) => category === 'down' && layer === ONE_LAYER);
  if (spans.length === 0) throw new CheckError(`no FFN down projection in the timeline of ${machine.name}`);
  return Math.max(...spans.map((s) => s.endMs)) - Math.min(...spans.map((s) => s.startMs));
}

/** Time of one operator type in each layer of a steady step, with the mapping that had to be waited for. */
export interface LayerTime {
  readonly layer: number;
  readonly opMs: number;
  readonly mappingMs: number;
}

/**
 * FFN down projection by layer, on a recording machine whose window is too small for all weights.
 * @returns the layers, and the mapping time of all operators of the step
 */
export function ffnDownByLayer(machine: Machine, rows: number): { layers: LayerTime[]; mappingMs: number } {
  const shape = denoisingShape(rows);
  machine.reset();
  machine.timePass(shape);
  machine.timePass(shape);
  const spans = machine.timeline().spans.filter(({ step }) => step === 1);
  const mapping = spans.filter(({ category }) => category === 'mapping');
  const layers: LayerTime[] = [];
  for (const dispatch of spans.filter(({ category }) => category === 'dispatch')) {
    const work = spans.filter(({ name, category }) => name === dispatch.name && category === 'down');
    if (work.length === 0 || dispatch.layer === null) continue;
    const waited = mapping.filter(({ endMs }) => Math.abs(endMs - dispatch.startMs) < 1e-9);
    const opMs = Math.max(...work.map((s) => s.endMs)) - Math.min(...work.map((s) => s.startMs));
    layers.push({
      layer: dispatch.layer,
      opMs,
      mappingMs: waited.reduce((sum, span) => sum + span.endMs - span.startMs, 0),
    });
  }
  return { layers, mappingMs: mapping.reduce((sum, span) => sum + span.endMs - span.startMs, 0) };
}
