import { ALBERT } from './albert.js';
import { DREAM } from './dream.js';
import type { Family } from './family.js';
import { FAST_DLLM_V2 } from './fast-dllm-v2.js';
import { LLADA } from './llada.js';
import { LLADA_MOE } from './llada-moe.js';
import { LLADA2 } from './llada2.js';
import { LLAMA } from './llama.js';
import { NEMOTRON_LABS_DIFFUSION } from './nemotron-labs-diffusion.js';
import { RND1 } from './rnd1.js';
import { SDAR } from './sdar.js';
import { WEDLM } from './wedlm.js';

/** Every family, in the order they are listed to users: one file each, one entry here. */
const ALL = [
  LLADA,
  DREAM,
  LLADA_MOE,
  LLADA2,
  SDAR,
  FAST_DLLM_V2,
  WEDLM,
  NEMOTRON_LABS_DIFFUSION,
  RND1,
  LLAMA,
  ALBERT,
] as const;

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
