import type { SoftwareStack } from '../stacks/stack.js';
import type { MemoryMode } from './runtime.js';

/** Shipped stacks by name: what they do about a window that is too small; `unlimited` where contexts fit, or nobody described it. */
const OWN: readonly (readonly [RegExp, MemoryMode])[] = [
  [/^llada\.cpp/, 'somr'],
  [/^llama\.cpp-hexagon/, 'on-demand'],
  [/^(cpu|gpu|qnn|mnn-|htp-ops|t-man|llm\.npu|nntrainer|llama\.cpp-(cpu|fastrpc))/, 'unlimited'],
];

/**
 * How a stack brings in weights beyond the address window by itself: SOMR is llada.cpp's, and llama.cpp's Hexagon backend maps
 * buffers on demand. A stack of the user's does as the backend whose sessions it has, else as llada.cpp.
 */
export function ownMemory({ name, sessions }: Pick<SoftwareStack, 'name' | 'sessions'>): MemoryMode {
  const own = OWN.find(([pattern]) => pattern.test(name))?.[1];
  return own ?? (sessions === 'hexagon-devices' ? 'on-demand' : 'somr');
}
