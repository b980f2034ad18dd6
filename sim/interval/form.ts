import type { SoftwareStack } from '../stacks/stack.js';

/** Why a prediction may be off even with every number right: the form of the model. */
export interface FormSpread {
  /** Standard deviation of ln(predicted / measured). */
  readonly deviation: number;
  readonly because: readonly string[];
}

/**
 * Assumed, by how well the software is known: 0.2 where its kernels were read in source and counted, 0.3 where a vendor's
 * compiler or a roofline hides them, 0.35 where cores and their governor or only a description are known. Set in view of
 * the scatter of whole classes of the open rows (a median of |ln| of 0.17 is a deviation of 0.25), so that coverage on the
 * open rows is no evidence. llada.cpp is known from its paper, whose Table 2 was in view.
 */
const CLASSES: readonly (readonly [pattern: RegExp, deviation: number, because: string])[] = [
  [/^llama\.cpp-hexagon/, 0.2, 'kernels known from source'],
  [/^llada\.cpp/, 0.2, 'kernels of its kind known from source, steps from its paper'],
  [/^(cpu|cpu-gemm|llama\.cpp-cpu|mnn-cpu)$/, 0.35, 'CPU kernels by one rate, cores and governor of a phone'],
  [/^gpu$/, 0.3, 'GPU kernels by a roofline'],
  [/^qnn/, 0.3, "graphs of a vendor's compiler"],
  [/./, 0.35, 'engine known by its description'],
];

/** Each thing that a run leaves to a stand-in, or that nothing averages, adds its own, in quadrature. */
const FURTHER = {
  'shapes of another model': 0.1,
  // Of the same class or its neighbour, by its NPU generation and memory.
  'another chip stands in': 0.2,
  'engine known by its kind only': 0.25,
  // One operator has no others to average with.
  'one operator': 0.15,
  // What the host, sleeping cores and a governor do between passes is a larger share than in a prompt.
  'a token at a time': 0.2,
  // Joules: no power of these chips was ever published by part, beside the range of each number.
  energy: 0.3,
} as const;

/** What adds to the spread of a run. */
export type FurtherSpread = keyof typeof FURTHER;

/** The spread of the form for a run. */
export function formSpread(
  { name: stack }: Pick<SoftwareStack, 'name'>,
  further: readonly FurtherSpread[],
): FormSpread {
  const name = stack.split('@')[0];
  const [, base, because] = CLASSES.find(([pattern]) => pattern.test(name)) ?? CLASSES[CLASSES.length - 1];
  return {
    deviation: Math.hypot(base, ...further.map((words) => FURTHER[words])),
    because: [because, ...further],
  };
}
