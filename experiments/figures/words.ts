import { MEMORY_MODES } from '../../sim/memory/runtime.js';

/** What the names of this project are called in a figure, which is read without it. */

const MODEL_PARTS: Readonly<Record<string, string>> = {
  llada: 'LLaDA',
  llada2: 'LLaDA2',
  dream: 'Dream',
  sdar: 'SDAR',
  wedlm: 'WeDLM',
  nemotron: 'Nemotron',
  labs: 'Labs',
  diffusion: 'Diffusion',
  tinyllama: 'TinyLlama',
  llama: 'Llama',
  moe: 'MoE',
  fast: 'Fast',
  dllm: 'dLLM',
  mini: 'mini',
  qwen: 'Qwen',
  gemma: 'Gemma',
};

/** `llada-moe-7b-a1b` as `LLaDA-MoE-7B-A1B`. */
export function modelWords(name: string): string {
  return name
    .split('-')
    .map((part) => MODEL_PARTS[part] ?? (/^a?[\d.]+b$/.test(part) ? part.toUpperCase() : part))
    .join('-');
}

/** `sm8750` as `SM8750`. */
export const chipWords = (name: string): string => (/^sm\d/.test(name) ? name.toUpperCase() : name);

/** `q4_0` as `Q4_0`. */
export const quantWords = (name: string): string => name.toUpperCase();

const MEMORY_WORDS: Readonly<Record<(typeof MEMORY_MODES)[number], string>> = {
  'on-demand': 'mapped on demand',
  paging: 'paged',
  somr: 'SOMR',
  unlimited: 'no window limit',
};

/** How weights beyond the address window come in. */
export function memoryWords(name: string): string {
  const known = MEMORY_MODES.find((mode) => mode === name);
  return known === undefined ? name : MEMORY_WORDS[known];
}

const DATA_SET_WORDS: readonly (readonly [RegExp, string])[] = [
  [/\bgsm8k\b/g, 'GSM8K'],
  [/\bmath\b/g, 'MATH'],
  [/\bhumaneval\b/g, 'HumanEval'],
  [/\bmbpp\b/g, 'MBPP'],
  [/\bFrechet\b/g, 'Fréchet'],
];

/** Data sets and rules of a text under the names that papers give them. */
export function dataSetWords(text: string): string {
  return DATA_SET_WORDS.reduce((found, [pattern, word]) => found.replace(pattern, word), text);
}

/** What the units of the machine are called. */
export const UNIT_WORDS: Readonly<Record<string, string>> = {
  matrix: 'matrix unit',
  vector: 'vector unit',
  dma: 'DMA',
  l2: 'L2 cache',
  cpu: 'CPU',
  gpu: 'GPU',
  dram: 'DRAM',
  staging: 'staging thread',
};

/** A resource or lane of the machine. */
export const unitWords = (name: string): string => UNIT_WORDS[name] ?? name;

/** What times a decode (`chip/stack/model/memory/kind`), in words; anything else as it is. */
export function timerWords(timer: string): string {
  const [chip, stack, model, memory] = timer.split('/');
  if (memory === undefined) return timer;
  return `${modelWords(model)} on ${chipWords(chip)}, ${stack}, ${memoryWords(memory)}`;
}

const ACRONYMS = new Set(['npu', 'cpu', 'gpu', 'dma', 'dram', 'l2', 'tcm', 'kv', 'hvx', 'hmx']);

/** Parts of names of numbers of which the words alone do not say what is counted. */
const NUMBER_WORDS: Readonly<Record<string, string>> = {
  'chunk weights': 'weights in a chunk',
  'head speedup': 'CPU head over other products, times faster',
  'cpu sustained': 'share of its clock that the CPU keeps',
};

/** A number of a chip or a software stack by its path: `npu.dmaLatency` as `NPU DMA latency`. */
export function parameterWords(path: string): string {
  const words = path
    .replace(/^stack\./, '')
    .split('.')
    .flatMap((part) => part.replace(/([a-z\d])([A-Z])/g, '$1 $2').split(' '))
    .map((word) => word.toLowerCase());
  // A value has its unit beside it.
  const named = words.at(-1) === 'ms' ? words.slice(0, -1) : words;
  const known = NUMBER_WORDS[named.join(' ')];
  if (known !== undefined) return known;
  return named
    .map((word) => (word === 'macs' ? 'MACs' : ACRONYMS.has(word) ? word.toUpperCase() : word))
    .join(' ');
}
