import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import { loadModel } from '../../src/model/load.js';
import { project } from '../../src/util/project-root.js';

interface Golden {
  readonly origin: string;
  readonly cases: readonly { readonly ids: number[]; readonly rows: number[]; readonly logits: number[][] }[];
}

const directory = join(project().root, 'models/tiny-llada');
const golden = join(project().root, 'test/golden/tiny-llada-logits.json');
const TOLERANCE = 1e-3;

describe.skipIf(!existsSync(golden) || !existsSync(directory))('the shipped tiny-llada', () => {
  const sources = ['tiny-llada', join(directory, 'tiny-llada-f32.gguf')].filter(
    (source) => source === 'tiny-llada' || existsSync(source),
  );

  it.each(sources)('has the logits PyTorch computes: %s', async (source) => {
    const { cases } = JSON.parse(readFileSync(golden, 'utf8')) as Golden;
    const model = await loadModel(source);
    const engine = await createTfjsEngine(model.config, model.weights);
    for (const [index, { ids, rows, logits }] of cases.entries()) {
      engine.retain([]);
      const result = await engine.run({
        id: `${index}.0`,
        kind: 'denoise',
        lane: 'main',
        version: index,
        reads: [],
        visibility: 'all',
        rows: ids.map((feed, position) => ({ position, feed })),
        logits: rows,
      });
      const worst = logits
        .flat()
        .reduce((max, value, i) => Math.max(max, Math.abs(value - result.logits[i]!)), 0);
      expect(worst).toBeLessThan(TOLERANCE);
    }
    engine.dispose();
    await model.weights.close();
  });
});
