import { describe, expect, it } from 'vitest';
import { cooperative } from '../../src/engine/cooperative.js';
import type { Engine } from '../../src/engine/engine.js';
import { resolvePreset } from '../../src/model/presets.js';
import type { Pass } from '../../src/pass/pass.js';

const pass: Pass = {
  id: '0.0',
  kind: 'denoise',
  lane: 'main',
  version: 0,
  rows: [],
  reads: [],
  visibility: 'all',
  logits: [],
};

/** Answers at once, as an in-process engine does. */
function instantEngine(calls: string[]): Engine {
  return {
    name: 'instant',
    config: resolvePreset('llada-8b'),
    run: async () => {
      calls.push('run');
      return { logits: new Float32Array(0) };
    },
    retain: () => calls.push('retain'),
    readKv: () => ({ k: [], v: [] }),
    dispose: () => calls.push('dispose'),
  };
}

describe('cooperative', () => {
  it('lets a timer fire between passes, which the bare engine does not', async () => {
    const passesBeforeTimer = async (engine: Engine) => {
      let fired = false;
      setTimeout(() => {
        fired = true;
      }, 0);
      let passes = 0;
      while (!fired && passes < 100_000) {
        await engine.run(pass);
        passes++;
      }
      return passes;
    };
    expect(await passesBeforeTimer(instantEngine([]))).toBe(100_000);
    expect(await passesBeforeTimer(cooperative(instantEngine([])))).toBeLessThan(100_000);
  });

  it('does what the engine does', async () => {
    const calls: string[] = [];
    const engine = cooperative(instantEngine(calls));
    await engine.run(pass);
    engine.retain([]);
    engine.dispose();
    expect(calls).toEqual(['run', 'retain', 'dispose']);
    expect(engine.name).toBe('instant');
  });

  it('hands on what an engine can do, and nothing that it cannot', async () => {
    const calls: unknown[] = [];
    const times = [{ name: 'down', ms: 1 }];
    const able = {
      ...instantEngine([]),
      readKv: (ref: unknown) => {
        calls.push(ref);
        return { k: [], v: [] };
      },
      ranOn: () => 'gpu',
      lastThreads: () => 3,
      operatorTimes: async (...asked: unknown[]) => {
        calls.push(asked);
        return times;
      },
    } as unknown as Engine;
    const engine = cooperative(able);
    const ref = { position: 1, version: 2 };
    expect(engine.readKv(ref)).toEqual({ k: [], v: [] });
    expect([engine.ranOn?.(), engine.lastThreads?.()]).toEqual(['gpu', 3]);
    expect(await engine.operatorTimes?.(pass, 5)).toBe(times);
    expect(calls).toEqual([ref, [pass, 5]]);
    const bare = cooperative(instantEngine([]));
    expect([bare.ranOn, bare.lastThreads, bare.operatorTimes]).toEqual([undefined, undefined, undefined]);
  });
});
