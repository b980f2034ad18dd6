import { describe, expect, it } from 'vitest';
import { createOrtEngine } from '../../src/engine/ort/engine.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import { randomWeights, tinyConfig } from './tiny-model.js';

describe('smoke', () => {
  it('runs', async () => {
    const config = tinyConfig();
    const w = randomWeights(config);
    const a = await createTfjsEngine(config, w);
    const b = await createOrtEngine(config, w);
    const rows = [3, 4, 5, 6].map((feed, position) => ({ position, feed }));
    const pass = { id: '0.0', kind: 'denoise', lane: 'main', version: 0, rows, reads: [], visibility: 'all', logits: [0, 1, 2, 3] } as const;
    const x = await a.run(pass);
    const y = await b.run(pass);
    console.log(Math.max(...x.logits.map((v, i) => Math.abs(v - y.logits[i]!))));
    b.dispose();
    expect(1).toBe(1);
  });
});
