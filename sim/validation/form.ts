import { stackByName } from '../stacks/registry.js';
import type { Case } from './interpret.js';

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
 * open rows is no evidence. Each thing that a row leaves to a stand-in adds its own, in quadrature.
 */
const CLASSES: readonly (readonly [pattern: RegExp, deviation: number, because: string])[] = [
  [/^llama\.cpp-hexagon/, 0.2, 'kernels known from source'],
  [/^(cpu|cpu-gemm|llama\.cpp-cpu|mnn-cpu)$/, 0.35, 'CPU kernels by one rate, cores and governor of a phone'],
  [/^gpu$/, 0.3, 'GPU kernels by a roofline'],
  [/^qnn/, 0.3, "graphs of a vendor's compiler"],
  [/./, 0.35, 'engine known by its description'],
];

const SUBSTITUTE = 0.1;
const UNFAMILIAR = 0.25;
/** Joules: no power of these chips was ever published by part, beside the range of each number. */
const ENERGY = 0.3;
/** A token at a time, what the host, sleeping cores and a governor do between passes is a larger share than in a prompt. */
const ONE_TOKEN = 0.2;
/** One operator has no others to average with. */
const KERNEL = 0.15;

/** The spread of the form for a row. */
export function formOf(wanted: Case): FormSpread {
  const [stack] = wanted.stacks;
  const name = stackByName(stack).name.split('@')[0];
  const [, base, because] = CLASSES.find(([pattern]) => pattern.test(name)) ?? CLASSES[CLASSES.length - 1];
  const more: (readonly [boolean, number, string])[] = [
    [wanted.substitute, SUBSTITUTE, 'shapes of another model'],
    [wanted.unfamiliar, UNFAMILIAR, 'engine known by its kind only'],
    [wanted.work.kind === 'kernel', KERNEL, 'one operator'],
    [wanted.work.kind === 'decode' || wanted.work.kind === 'request', ONE_TOKEN, 'a token at a time'],
    [['energy', 'power', 'tokens per joule'].includes(wanted.measure.quantity), ENERGY, 'energy'],
  ];
  const held = more.filter(([applies]) => applies);
  return {
    deviation: Math.hypot(base, ...held.map(([, deviation]) => deviation)),
    because: [because, ...held.map(([, , words]) => words)],
  };
}
