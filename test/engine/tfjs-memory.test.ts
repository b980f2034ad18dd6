import { describe, expect, it } from 'vitest';
import { openEngine } from '../../src/engine/registry.js';
import { memoryNote, requireRoom, tfjsMemory } from '../../src/engine/tfjs/memory.js';
import { EnvironmentError } from '../../src/errors.js';
import { NO_TEXT } from '../../src/model/model-text.js';
import { resolvePreset } from '../../src/model/presets.js';
import { syntheticWeights } from '../../src/model/synthetic/weights.js';
import { weightShapes } from '../../src/model/weight-ids.js';
import { storedWeights } from '../support/blocks.js';
import { tinyConfig } from '../support/tiny-model.js';

describe('what tfjs takes', () => {
  it('is four bytes a value, a tied head twice, and matrices of K-quants as stored', () => {
    const config = tinyConfig({ layers: 1, vocab: 9, hidden: 256, headDim: 64, ffn: 256 });
    const kept = storedWeights(config, () => 'q4_k').stored;
    const matrices = [...weightShapes(config)].filter(([, shape]) => shape.length > 1);
    const bytes = matrices.reduce((sum, [id]) => sum + (kept.info(id)?.bytes ?? 0), 0);
    // Three gains of a layer's width.
    expect(tfjsMemory(config, kept)).toEqual({
      widened: 4 * 3 * 256,
      stored: bytes,
      file: bytes + 4 * 3 * 256,
    });
    const wide = tfjsMemory(config, storedWeights(config, () => 'f32').stored);
    expect(wide).toMatchObject({ stored: 0, widened: wide.file + 4 * 9 * 256 });
  });

  it('is said before it is taken, and refused where it cannot be addressed', async () => {
    const config = resolvePreset('llada-8b');
    const shape = { ...config, maskId: 126336 };
    const memory = tfjsMemory(shape, syntheticWeights(shape, 'q4_0', 1));
    expect(memoryNote(memory)).toBe(
      'tfjs takes 32.1 GB of memory for weights of 4.5 GB: it computes in f32; ort and ggml take what the file has',
    );
    expect(memoryNote({ widened: 1e6, stored: 0, file: 1e6 })).toBeNull();
    expect(memoryNote({ widened: 1e6, stored: 2e9, file: 2e9 })).toBe(
      'tfjs takes 2.0 GB of memory for weights of 2.0 GB',
    );
    expect(() => requireRoom(memory, 'wasm', 'm.gguf')).toThrow(EnvironmentError);
    expect(() => requireRoom(memory, 'wasm', 'm.gguf')).toThrow(/m.gguf: .*32.1 GB in f32, and WebAssembly/);
    expect(() => requireRoom(memory, 'cpu', 'm.gguf')).not.toThrow();
    const notes: string[] = [];
    const model = {
      config: shape,
      weights: syntheticWeights(shape, 'q4_0', 1),
      tokenizer: null,
      text: NO_TEXT,
      chat: false,
      weightsPath: 'm.gguf',
    };
    await expect(openEngine('tfjs', model, {}, { onMemory: (note) => notes.push(note) })).rejects.toThrow(
      /WebAssembly/,
    );
    expect(notes.join()).toMatch(/32.1 GB/);
  });
});
