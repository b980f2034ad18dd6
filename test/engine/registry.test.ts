import { afterAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import {
  ENGINE_NAMES,
  ENGINES,
  type EngineName,
  openEngine,
  settingsInEffect,
} from '../../src/engine/registry.js';
import { EnvironmentError } from '../../src/errors.js';
import { loadModel } from '../../src/model/load.js';
import type { Pass } from '../../src/pass/pass.js';

/** How far the logits of an engine may be from the reference's on the shipped model; the compiler asks for a new one's. */
const BOUND: Readonly<Record<EngineName, number>> = { tfjs: 0, ort: 1e-3, ggml: 1e-3, 'npu-numerics': 0.3 };

const PROMPT = [1, 5, 9, 20, 33, 7];
/** Fills the cache, then computes masks that read it. */
const passes = (maskId: number): Pass[] => [
  {
    id: '0.0',
    kind: 'prefill',
    lane: 'main',
    version: 1,
    reads: [],
    visibility: 'all',
    rows: PROMPT.map((feed, position) => ({ position, feed })),
    logits: [],
  },
  {
    id: '1.0',
    kind: 'denoise',
    lane: 'main',
    version: 2,
    reads: PROMPT.map((_, position) => ({ position, version: 1 })),
    visibility: 'all',
    rows: [0, 1, 2].map((at) => ({ position: PROMPT.length + at, feed: maskId })),
    logits: [0, 2],
  },
];

async function logitsOf(engine: Engine): Promise<number[]> {
  engine.retain([]);
  const logits: number[] = [];
  for (const pass of passes(engine.config.maskId ?? 0)) logits.push(...(await engine.run(pass)).logits);
  return logits;
}

describe('every engine that is entered', async () => {
  const model = await loadModel('tiny-llada');
  const reference = await openEngine('tfjs', model);
  const expected = await logitsOf(reference);
  afterAll(() => model.weights.close());

  it.each(ENGINE_NAMES)('%s agrees with the reference, twice with the same bits', async (name) => {
    const engine = await openEngine(name, model);
    const found = await logitsOf(engine);
    expect(found).toHaveLength(2 * model.config.vocab);
    const worst = found.reduce((max, value, at) => Math.max(max, Math.abs(value - expected[at])), 0);
    expect(worst).toBeLessThanOrEqual(BOUND[name]);
    expect(await logitsOf(engine)).toEqual(found);
    const { k } = engine.readKv({ position: 0, version: 1 });
    expect(k).toHaveLength(model.config.layers);
    engine.dispose();
  });

  it.each(ENGINE_NAMES.filter((name) => ENGINES[name].uses.some((setting) => setting === 'threads')))(
    '%s gives the same bits with one thread and with two',
    async (name) => {
      const found: number[][] = [];
      for (const threads of [1, 2]) {
        const engine = await openEngine(name, model, { threads });
        found.push(await logitsOf(engine));
        engine.dispose();
      }
      expect(found[1]).toEqual(found[0]);
    },
  );

  it('says what is missing, unless something may take its place', async () => {
    const nowhere = process.env.DLLM_NPU_TFJS_NODE;
    process.env.DLLM_NPU_TFJS_NODE = '/nowhere';
    try {
      await expect(openEngine('tfjs', model, { backend: 'node' })).rejects.toThrow(EnvironmentError);
      const notes: string[] = [];
      const engine = await openEngine(
        'tfjs',
        model,
        { backend: 'node' },
        { onFallback: (note) => notes.push(note) },
      );
      expect(engine.name).toBe('tfjs-wasm');
      expect(notes.join()).toMatch(/going on with wasm/);
      engine.dispose();
    } finally {
      if (nowhere === undefined) delete process.env.DLLM_NPU_TFJS_NODE;
      else process.env.DLLM_NPU_TFJS_NODE = nowhere;
    }
  });

  it('is told apart by the settings that it uses', () => {
    const settings = { backend: 'cpu', threads: 2, compute: 'int8' } as const;
    expect(settingsInEffect('tfjs', settings)).toEqual({ backend: 'cpu' });
    expect(settingsInEffect('ort', settings)).toEqual({ threads: 2, compute: 'int8' });
  });
});
