import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import { createNpuNumericsEngine } from '../../src/engine/npu-numerics/engine.js';
import { createOrtEngine } from '../../src/engine/ort/engine.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import { loadModel } from '../../src/model/load.js';
import { cacheDirectory } from '../../src/util/cache-directory.js';
import { project } from '../../src/util/project-root.js';

interface Case {
  readonly text?: string;
  readonly tokens?: readonly number[];
  readonly ids: readonly number[];
  readonly rows: readonly number[];
  readonly logits: readonly (readonly number[])[];
}

/** origin: tools/golden/albert_logits.py, the transformers library's own ALBERT (Flax, jax on the CPU). */
const golden = (...path: string[]) => join(project().root, 'test/golden', ...path);
/** Where `models fetch rxnmapper` puts it. */
const rxnmapper = join(cacheDirectory(), 'models', 'rxnmapper');
const casesOf = (path: string) =>
  (JSON.parse(readFileSync(path, 'utf8')) as { cases: readonly Case[] }).cases;

async function worst(engine: Engine, cases: readonly Case[]): Promise<number> {
  let most = 0;
  for (const [version, { ids, rows, logits }] of cases.entries()) {
    engine.retain([]);
    const result = await engine.run({
      id: `${version}.0`,
      kind: 'denoise',
      lane: 'main',
      version,
      reads: [],
      visibility: 'all',
      rows: ids.map((feed, position) => ({ position, feed })),
      logits: rows,
    });
    const expected = logits.flat();
    expect(result.logits.length).toBe(expected.length);
    for (const [i, value] of expected.entries()) most = Math.max(most, Math.abs(value - result.logits[i]));
  }
  engine.dispose();
  return most;
}

const ENGINES = [
  ['tfjs', createTfjsEngine, 1e-4],
  ['ort', createOrtEngine, 1e-4],
  // F16 between operators: rounding, not another function.
  ['npu-numerics', createNpuNumericsEngine, 0.05],
] as const;

describe.each(ENGINES)('%s: logits of the transformers library', (_, create, tolerance) => {
  it('of a random ALBERT (GELU by tanh)', async () => {
    const model = await loadModel(golden('tiny-albert'));
    const engine = await create(model.config, model.weights);
    expect(await worst(engine, casesOf(golden('tiny-albert', 'logits.json')))).toBeLessThan(tolerance);
    await model.weights.close();
  });

  it.skipIf(!existsSync(rxnmapper))('of rxnmapper (GELU by the error function)', async () => {
    const model = await loadModel(rxnmapper);
    const engine = await create(model.config, model.weights);
    expect(await worst(engine, casesOf(golden('rxnmapper.json')))).toBeLessThan(tolerance);
    await model.weights.close();
  });
});

it.skipIf(!existsSync(rxnmapper))(
  'rxnmapper: text becomes the tokens of its own pattern, and text again',
  async () => {
    const { tokenizer, weights } = await loadModel(rxnmapper);
    for (const { text = '', tokens } of casesOf(golden('rxnmapper.json'))) {
      expect(tokenizer!.encode(`[CLS]${text}[SEP]`)).toEqual(tokens);
      expect(tokenizer!.decode(tokens!)).toBe(text);
    }
    await weights.close();
  },
);
