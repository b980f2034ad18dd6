import { describe, expect, it, vi } from 'vitest';
import { loadProfile } from '../../../sim/hardware/load-profile.js';
import type { Machine } from '../../../sim/machine/machine.js';
import { machine as openMachine } from '../../../sim/open-machine.js';
import { stackByName } from '../../../sim/stacks/registry.js';
import { timeRequest } from '../../../sim/workload/request.js';
import { prefillPasses, timeDecode, timePrefill } from '../../../sim/workload/workload.js';
import { resolvePreset } from '../../../src/model/presets.js';

function machineFor(stack: string): Machine {
  return openMachine({
    profile: loadProfile('sm8750'),
    stack: stackByName(stack),
    shapes: resolvePreset('qwen3-0.6b'),
    quant: 'q4_0',
    memory: 'unlimited',
  });
}

describe('plain workloads', () => {
  it('cut a prompt into the passes of the stack', () => {
    expect(timePrefill(machineFor('llama.cpp-hexagon'), 1025).passes).toBe(3);
    expect(timePrefill(machineFor('qnn'), 1024).passes).toBe(8);
  });

  it('a chunk of a prompt attends to what was before it, and the last one is sampled', () => {
    const shapes = prefillPasses(machineFor('llama.cpp-hexagon'), 1025, 50);
    expect(shapes.map(({ rows, kvSets, logitsRows }) => [rows, kvSets[0]?.length, logitsRows])).toEqual([
      [512, 50, 0],
      [512, 562, 0],
      [1, 1074, 1],
    ]);
    expect(prefillPasses(machineFor('llama.cpp-hexagon'), 3)[0]?.kvSets).toEqual([]);
  });

  it('a stretch of an answer is timed at its middle, as often as it has tokens', () => {
    const machine = machineFor('cpu');
    const timed = vi.spyOn(machine, 'timePass');
    const { answerMs, promptMs } = timeRequest(machine, { prompt: 0, answer: 16 });
    // Four stretches of 4 tokens after no prompt; each pass is warm when it is timed.
    expect(timed.mock.calls.map(([{ kvSets }]) => kvSets[0]?.length)).toEqual([2, 2, 6, 6, 10, 10, 14, 14]);
    const warm = timed.mock.results.flatMap(({ value: { startMs, endMs } }, at) =>
      at % 2 === 1 ? [endMs - startMs] : [],
    );
    expect(answerMs).toBeCloseTo(4 * warm.reduce((a, b) => a + b, 0), 9);
    expect(promptMs).toBe(0);
  });

  it('cost more with more tokens and more context', () => {
    for (const stack of ['llada.cpp', 'cpu', 'llama.cpp-hexagon', 'qnn']) {
      const machine = machineFor(stack);
      expect(timePrefill(machine, 256).ms).toBeGreaterThan(timePrefill(machine, 64).ms);
      expect(timeDecode(machine, 2000).ms).toBeGreaterThan(timeDecode(machine, 100).ms);
    }
  });

  it('keep room for the activations of a prompt pass, not for those of the whole context', () => {
    const decode = (model: string, context: number) =>
      timeDecode(
        openMachine({
          profile: 'sm8850',
          stack: 'llama.cpp-hexagon',
          shapes: resolvePreset(model),
          quant: 'q4_0',
          memory: 'on-demand',
        }),
        context,
      ).ms;
    // F32 logits of 4096 rows would take 4.3 GB, more than the window; those of 512 rows take 0.5 GB.
    expect(decode('gemma-3-1b', 4095)).toBeGreaterThan(0);
    // Nothing is mapped again because of a longer context alone.
    expect(decode('qwen3-4b', 2000)).toBeLessThan(1.3 * decode('qwen3-4b', 500));
  });

  it('give the same answer twice', () => {
    const machine = machineFor('llama.cpp-hexagon');
    const first = timePrefill(machine, 300, 50);
    expect(timePrefill(machine, 300, 50)).toEqual(first);
    expect(first.tokensPerS).toBeCloseTo(300_000 / first.ms, 9);
  });

  it('choose a token from the last row of a compiled prompt only', () => {
    const machine = machineFor('qnn');
    const shape = { rows: 128, logitsRows: 128, masked: false, kvSets: [] };
    const all = machineFor('qnn').timePass(shape).endMs;
    const last = machineFor('qnn').timePass({ ...shape, sampledRows: 1 }).endMs;
    const { samplePerLogitMs, cpuThreads } = machine.options.stack.numbers;
    expect(all - last).toBeCloseTo((127 * 151_936 * samplePerLogitMs) / cpuThreads, 6);
    expect(timePrefill(machine, 128).ms).toBeCloseTo(last, 9);
  });

  it('a compiled graph pays for the whole context from the first chunk on', () => {
    const compiled = machineFor('qnn');
    const growing = openMachine({
      ...compiled.options,
      stack: { ...stackByName('qnn'), staticShapes: false },
    });
    expect(timePrefill(compiled, 512).ms).toBeGreaterThan(timePrefill(growing, 512).ms);
    expect(timePrefill(compiled, 128, 0, 4096).ms).toBeGreaterThan(timePrefill(compiled, 128).ms);
    // The last block is padded, and every row gives logits.
    expect(timePrefill(compiled, 100).ms).toBe(timePrefill(compiled, 128).ms);
    expect(timePrefill(compiled, 128).ms).toBeGreaterThan(timePrefill(growing, 128).ms);
  });
});
