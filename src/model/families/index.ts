import { ALBERT } from './albert.js';
import { DREAM } from './dream.js';
import type { Family } from './family.js';
import { LLADA } from './llada.js';
import { LLADA_MOE } from './llada-moe.js';
import { LLAMA } from './llama.js';

/** Every family, in the order they are listed to users: one file each, one entry here. */
const ALL = [LLADA, DREAM, LLADA_MOE, LLAMA, ALBERT] as const;

/** Name of a family. */
export type Architecture = (typeof ALL)[number]['name'];

export const FAMILIES: readonly Family<Architecture>[] = ALL;

export const ARCHITECTURES: readonly Architecture[] = FAMILIES.map(({ name }) => name);

/** Those that llama.cpp, and so GGUF, has. */
export const GGUF_ARCHITECTURES: readonly Architecture[] = FAMILIES.flatMap(({ name, gguf }) =>
  gguf === null ? [] : name,
);

export function familyOf(arch: Architecture): Family<Architecture> {
  const family = FAMILIES.find(({ name }) => name === arch);
  if (family === undefined) throw new Error(`no family ${arch}`);
  return family;
}
