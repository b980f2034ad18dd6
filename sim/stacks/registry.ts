import { unknownName } from '../../src/util/nearest.js';
import { cpuStack } from './cpu.js';
import { FITTED } from './fitted.js';
import { lladaCpp } from './llada-cpp.js';
import {
  htpOps,
  llamaCppHexagon,
  llamaCppHexagonFlat,
  llamaCppHexagonHvx,
  mnnHexagon,
} from './llama-cpp-hexagon.js';
import { cpuGemm, gpuStack, llamaCppFastRpc, llmNpu, mnnCpu, nntrainer } from './others.js';
import { qnn, qnnA8, qnnFp16, tMan } from './qnn.js';
import type { SoftwareStack } from './stack.js';

const STACKS: readonly SoftwareStack[] = [
  lladaCpp,
  cpuStack,
  llamaCppHexagon,
  llamaCppHexagonFlat,
  llamaCppHexagonHvx,
  qnn,
  qnnA8,
  qnnFp16,
  tMan,
  llamaCppFastRpc,
  htpOps,
  mnnHexagon,
  llmNpu,
  nntrainer,
  mnnCpu,
  cpuGemm,
  gpuStack,
  ...FITTED,
];

/** Names of all software stacks. */
export function stackNames(): string[] {
  return STACKS.map((stack) => stack.name);
}

/** @throws UsageError with the nearest names for an unknown stack */
export function stackByName(name: string): SoftwareStack {
  const stack = STACKS.find((candidate) => candidate.name === name);
  if (stack === undefined) throw unknownName('stack', name, stackNames());
  return stack;
}
