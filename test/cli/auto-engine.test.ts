import { expect, it, vi } from 'vitest';
import { candidates, startFirst } from '../../cli/auto-engine.js';
import { Context } from '../../cli/io.js';
import { hasGgml } from '../../src/engine/ggml/package.js';
import { EnvironmentError, UsageError } from '../../src/errors.js';

const wish = (engine: 'auto' | 'ort', model: string) => ({ engine, model });

function context() {
  const notes: string[] = [];
  const io = {
    stdout: { write: () => true },
    stderr: { write: (text: string) => notes.push(text) },
    env: {},
    signal: new AbortController().signal,
  };
  return { ctx: new Context(io, {}), notes };
}

it('takes the fastest for a file, the reference for a shipped model, and what is named', () => {
  expect(candidates(wish('auto', 'tiny-llada'))).toEqual(['tfjs']);
  expect(candidates(wish('ort', 'model.gguf'))).toEqual(['ort']);
  const all = candidates(wish('auto', 'model.gguf'));
  expect(all.at(-1)).toBe('tfjs');
  expect(all.includes('ggml')).toBe(hasGgml());
});

it('goes on with the next where one cannot be started, and says why', async () => {
  vi.stubEnv('DLLM_NPU_GGML', '/nowhere');
  const { ctx, notes } = context();
  const tried: string[] = [];
  const taken = await startFirst(ctx, wish('auto', 'model.gguf'), async (name) => {
    tried.push(name);
    if (name !== 'tfjs') throw new EnvironmentError(`no ${name} here`);
  });
  vi.unstubAllEnvs();
  expect(taken).toBe('tfjs');
  expect(tried[0]).toBe('ggml');
  expect(notes.join('')).toMatch(/no ggml here; going on with/);
  expect(notes.join('')).toMatch(/engine: tfjs/);
});

it('does not go on from an engine that was named, or from another error', async () => {
  const { ctx } = context();
  const missing = () => Promise.reject(new EnvironmentError('not here'));
  await expect(startFirst(ctx, wish('ort', 'model.gguf'), missing)).rejects.toThrow('not here');
  const wrong = () => Promise.reject(new UsageError('wrong'));
  await expect(startFirst(ctx, wish('auto', 'model.gguf'), wrong)).rejects.toThrow('wrong');
});
