import { describe, expect, it } from 'vitest';
import { machine } from '../../../sim/open-machine.js';
import { stackByName } from '../../../sim/stacks/registry.js';
import { timeDecode, timePrefill } from '../../../sim/workload/workload.js';
import { resolvePreset } from '../../../src/model/presets.js';

function machineOf(stack: string, model: string, set: Record<string, string | number> = {}) {
  return machine({
    profile: 'sm8750',
    stack,
    shapes: resolvePreset(model),
    quant: 'q4_0',
    memory: 'unlimited',
    set,
  });
}

describe('a compiled graph', () => {
  it('flushes the whole cache of its context with every pass, at the rate of the profile', () => {
    const model = resolvePreset('llama-3.2-1b');
    const spent = (context: number) => {
      const timed = machineOf('qnn', 'llama-3.2-1b');
      timeDecode(timed, context);
      const found = timed.stepBreakdown().parts.find(({ name }) => name === 'cache maintenance');
      return found?.ms ?? 0;
    };
    // 8 bits for each element of keys and values.
    const bytes = 2 * model.layers * model.kvHeads * model.headDim * (4095 - 95);
    const { cacheMaintenance } = machineOf('qnn', 'llama-3.2-1b').options.profile.driver;
    expect(spent(4095) - spent(95)).toBeCloseTo((bytes / 1e6) * cacheMaintenance, 6);
  });

  it('with FP16 activations streams 16 bits a weight', () => {
    const bytes = (stack: string) => {
      const timed = machineOf(stack, 'llama-3.2-1b');
      timed.reset();
      return timed.timePass({ rows: 1, kvSets: [], logitsRows: 1, masked: false }).counters.dmaBytes ?? 0;
    };
    expect(bytes('qnn-fp16') / bytes('qnn')).toBeGreaterThan(3.7);
    expect(stackByName('qnn-fp16').provenance.q4Layout.kind).toBe('assumed');
  });
});

describe('the CPU', () => {
  it('repacks for prompts and not for one token', () => {
    const on = (stack: string) => machineOf(stack, 'llama-3.2-1b');
    expect(timePrefill(on('cpu'), 256).ms / timePrefill(on('llama.cpp-cpu'), 256).ms).toBeGreaterThan(2.5);
    expect(timeDecode(on('llama.cpp-cpu'), 64).ms).toBeCloseTo(timeDecode(on('cpu'), 64).ms, 6);
  });

  it('is as slow as its share of arithmetic says in a long run', () => {
    const ms = (share: number) =>
      timePrefill(machineOf('cpu', 'llama-3.2-1b', { 'stack.cpuSustained': share }), 128).ms;
    expect(ms(0.5) / ms(1)).toBeGreaterThan(1.9);
  });
});

describe('the GPU', () => {
  it('starts a kernel for every operator, and two more for what is written to the cache', () => {
    const ms = (launch: string) =>
      timeDecode(machineOf('gpu', 'llama-3.2-1b', { 'profile.gpu.kernelLaunch': launch }), 64).ms;
    const kernels = (ms('30 us') - ms('20 us')) / 0.01;
    // 15 operators and 2 writes a layer, the last norm, the gathering of rows and the head.
    expect(Math.round(kernels)).toBe(16 * 17 + 3);
  });
});
