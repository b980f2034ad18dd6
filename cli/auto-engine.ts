import { z } from 'zod';
import { fastestEngines } from '../src/engine/auto.js';
import { describeEngines, ENGINE_NAMES, type EngineName } from '../src/engine/registry.js';
import { EnvironmentError } from '../src/errors.js';
import { shippedModels } from '../src/model/load.js';
import type { Context } from './io.js';

/** An engine, or `auto`: the fastest that is installed for a file, the reference for a shipped model. */
export const engineOrAuto = z
  .enum(['auto', ...ENGINE_NAMES])
  .default('auto')
  .describe(
    `what runs the model; auto: for a file the fastest that is installed, for a shipped model tfjs; ${describeEngines()}`,
  );

export interface EngineWish {
  readonly engine: EngineName | 'auto';
  readonly model: string;
}

/** The engines that may run the model, in the order in which they are tried. */
export function candidates({ engine, model }: EngineWish): readonly EngineName[] {
  if (engine !== 'auto') return [engine];
  return shippedModels().includes(model) ? ['tfjs'] : fastestEngines();
}

/**
 * Starts the first of the candidates that this machine can start, and says which.
 * @throws EnvironmentError when an engine that was named, or the last one, cannot be started
 */
export async function startFirst(
  ctx: Context,
  wish: EngineWish,
  start: (engine: EngineName) => Promise<void>,
): Promise<EngineName> {
  const names = candidates(wish);
  for (const [index, name] of names.entries()) {
    try {
      await start(name);
      if (names.length > 1) ctx.note(`engine: ${name} (--engine to choose another)`);
      return name;
    } catch (error) {
      const next = names[index + 1];
      if (!(error instanceof EnvironmentError) || next === undefined) throw error;
      ctx.note(`${error.message}; going on with ${next}`);
    }
  }
  throw new EnvironmentError('no engine is installed');
}
