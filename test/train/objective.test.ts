import { describe, expect, it } from 'vitest';
import { Random } from '../../src/score/random.js';
import { type Layout, makeBatch, OBJECTIVE, sampleLayout } from '../../src/train/objective.js';

const MASK = 5;
const prompts = [
  [0, 10, 11, 4],
  [0, 12, 13, 4],
];
const responses = prompts.map((_, s) => Array.from({ length: 128 }, (_, i) => 20 + ((7 * i + s) % 50)));
const options = { maskId: MASK, wordIds: [100, 101, 102] };
const layouts = Object.keys(OBJECTIVE.layouts) as Layout[];

describe('makeBatch', () => {
  it.each(layouts)('%s: never masks the prompt and asks for the original tokens', (layout) => {
    const random = new Random(2);
    for (let run = 0; run < 100; run++) {
      const batch = makeBatch(prompts, responses, layout, options, random);
      const length = batch.rows - batch.first;
      for (let s = 0; s < 2; s++) {
        const ids = [...batch.ids.slice(s * batch.rows, (s + 1) * batch.rows)];
        expect(ids.slice(0, 4)).toEqual(prompts[s]);
        expect([...batch.targets.slice(s * length, (s + 1) * length)]).toEqual(
          responses[s]?.slice(0, length),
        );
      }
      expect(batch.weights.every((w) => w >= 0 && Number.isFinite(w))).toBe(true);
      expect(batch.ids.length).toBe(2 * batch.rows);
      expect(batch.positions.length).toBe(batch.rows);
    }
  });

  it.each(layouts)('%s: masked weights sum to about 1', (layout) => {
    const random = new Random(3);
    let total = 0;
    const runs = 400;
    for (let run = 0; run < runs; run++) {
      const batch = makeBatch(prompts, responses, layout, options, random);
      batch.weights.forEach((w, i) => {
        const s = Math.floor(i / (batch.rows - batch.first));
        const row = batch.first + (i % (batch.rows - batch.first));
        if (batch.ids[s * batch.rows + row] === MASK) total += w;
      });
    }
    expect(total / runs).toBeGreaterThan(0.85);
    expect(total / runs).toBeLessThan(1.15);
  });

  it('truncated: ends with its window; suffix: masks everything after it', () => {
    const random = new Random(4);
    for (let run = 0; run < 50; run++) {
      const truncated = makeBatch(prompts, responses, 'truncated', options, random);
      expect(truncated.rows - 4).toBeGreaterThanOrEqual(32);
      expect(truncated.rows - 4).toBeLessThanOrEqual(128);
      const beforeWindow = [...truncated.ids.slice(4, truncated.rows - 32)];
      expect(beforeWindow).not.toContain(MASK);
      const suffix = makeBatch(prompts, responses, 'suffix', options, random);
      expect(suffix.rows).toBe(4 + 128);
      const shown = [...suffix.ids.slice(4, suffix.rows)].map((id) => id !== MASK);
      expect(shown.lastIndexOf(true) - shown.indexOf(false)).toBeLessThan(32);
    }
  });

  it('blocks: a noisy token sees the prompt, earlier clean windows and its own window', () => {
    const random = new Random(6);
    for (let run = 0; run < 20; run++) {
      const batch = makeBatch(prompts, responses, 'blocks', options, random);
      const { rows, first, positions, visibility = new Float32Array() } = batch;
      const sees = (row: number, key: number): boolean => visibility[row * rows + key] === 1;
      for (let row = first; row < rows; row++) {
        for (let key = 0; key < 4; key++) expect(sees(row, key)).toBe(true);
        const window = Array.from({ length: rows - first }, (_, i) => first + i).filter((key) =>
          sees(row, key),
        );
        expect(window).toContain(row);
        expect(window.length).toBeLessThanOrEqual(32);
        const clean = Array.from({ length: first - 4 }, (_, i) => 4 + i).filter((key) => sees(row, key));
        // Together they are exactly the canvas up to the end of the window, each position once.
        expect([...clean, ...window].map((key) => positions[key])).toEqual(
          Array.from({ length: clean.length + window.length }, (_, i) => 4 + i),
        );
      }
      for (let row = 0; row < 4; row++) {
        for (let key = 0; key < rows; key++) expect(sees(row, key)).toBe(key < 4);
      }
    }
  });
});

describe('sampleLayout', () => {
  it('follows the shares', () => {
    const random = new Random(8);
    const counts = new Map<Layout, number>();
    for (let i = 0; i < 4000; i++) {
      const layout = sampleLayout(random);
      counts.set(layout, (counts.get(layout) ?? 0) + 1);
    }
    for (const layout of layouts) {
      expect((counts.get(layout) ?? 0) / 4000).toBeCloseTo(OBJECTIVE.layouts[layout], 1);
    }
  });
});
