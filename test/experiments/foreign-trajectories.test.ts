import { describe, expect, it } from 'vitest';
import { parseTrajectory, rightSteps } from '../../experiments/trajectories/trajectory.js';

/** Four positions behind a prompt of two, decided in the order 2, 0, 3, 1, as each decoder's authors would log it. */
const RIGHT = [11, 12, 13, 14];
const ORDER = [2, 0, 3, 1];
const MASK = 126336;
const PROMPT = [1, 2];

interface Logged {
  tokens: unknown[];
  confidences?: unknown[];
  masked: unknown[];
}

/** LLaDA's loop with the three lines of the documentation. */
function llada(): Logged[] {
  return ORDER.map((_, step) => ({
    tokens: [...RIGHT],
    confidences: [0.5, 0.6, 0.7, 0.8],
    masked: [0, 1, 2, 3].filter((at) => !ORDER.slice(0, step).includes(at)),
  }));
}

/** Whole sequences after each step. */
function sequences(): number[][] {
  return ORDER.map((_, step) => [
    ...PROMPT,
    ...RIGHT.map((token, at) => (ORDER.slice(0, step + 1).includes(at) ? token : MASK)),
  ]);
}

const file = (fields: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ promptTokens: PROMPT.length, reference: RIGHT, ...fields });
const changed = (change: (step: Logged, at: number) => Logged): string =>
  file({ steps: llada().map(change) });

describe('files of other decoders that are read', () => {
  it.each([
    ['LLaDA', file({ steps: llada() }), [true, true, true, true]],
    [
      'LLaDA in bf16: a probability a hair above 1',
      changed((step) => ({ ...step, confidences: [1.0000001192092896, 0.6, 0.7, 0.8] })),
      [true, true, true, true],
    ],
    ['Dream, output_history=True', file({ maskId: MASK, history: sequences() }), [false, false, false, true]],
    [
      'SGLang, with the sequence before the first step',
      file({ maskId: MASK, initial: true, history: [[...PROMPT, MASK, MASK, MASK, MASK], ...sequences()] }),
      [false, false, false, true],
    ],
    [
      'Dream, a first step that committed nothing',
      file({ maskId: MASK, initial: false, history: [[...PROMPT, MASK, MASK, MASK, MASK], ...sequences()] }),
      [false, false, false, false, true],
    ],
    [
      'Fast-dLLM, two blocks of two, tokens of the block alone',
      file({
        steps: [
          { tokens: [11, 9, -1, -1], masked: [0, 1, 2, 3] },
          { tokens: [-1, 12, -1, -1], masked: [1, 2, 3] },
          { tokens: [-1, -1, 13, 14], masked: [2, 3] },
        ],
      }),
      [false, false, true],
    ],
    [
      'dInfer, judged by its own harness',
      file({ reference: undefined, steps: llada(), right: [false, false, true, true] }),
      [false, false, true, true],
    ],
  ])('%s', (_, line, right) => {
    expect(rightSteps(parseTrajectory(line, 'file:1'), 'x')).toEqual(right);
  });
});

describe('files of other decoders that are refused, with what to do', () => {
  it.each([
    [
      "LLaDA's `confidence` in place of x0_p",
      changed((step) => ({ ...step, confidences: [0.5, 'inf', 0.7, 0.8] })).replaceAll('"inf"', '-Infinity'),
      "-Infinity is not JSON, though Python's json writes it",
    ],
    [
      'log-probabilities',
      changed((step) => ({ ...step, confidences: [-0.1, -0.2, -0.3, 0] })),
      'steps.0.confidences.0',
    ],
    ['percent', changed((step) => ({ ...step, confidences: [50, 60, 70, 80] })), 'steps.0.confidences.0'],
    [
      'masks after the step',
      changed((step, at) => ({ ...step, masked: step.masked.filter((each) => each !== ORDER[at]) })),
      'step 0: position 2 of 4 is not masked: .* when a step begins, not after it',
    ],
    [
      'the prompt among the tokens, and judged elsewhere',
      file({
        reference: undefined,
        right: [true, true, true, true],
        steps: llada().map((step) => ({ masked: step.masked, tokens: [...PROMPT, ...step.tokens] })),
      }),
      'step 0: position 4 of 6 is not masked: "tokens" has the generated positions only',
    ],
    [
      'positions that count the prompt',
      changed((step) => ({ ...step, masked: step.masked.map((at) => Number(at) + PROMPT.length) })),
      'outside of the 4 generated ones, which count from 0 behind the prompt',
    ],
    [
      'booleans for positions',
      changed((step) => ({ ...step, masked: [true, true, false, true] })),
      'steps.0.masked.0',
    ],
    [
      'the sequence before the first step, unsaid',
      file({ maskId: MASK, history: [[...PROMPT, MASK, MASK, MASK, MASK], ...sequences()] }),
      'the first sequence is all masks: "initial": true',
    ],
    ['another mask', file({ maskId: 151666, history: sequences() }), 'no sequence has the mask 151666'],
    [
      'an axis for the batch',
      file({ maskId: MASK, history: sequences().map((each) => [each]) }),
      'history.0.0',
    ],
    [
      'remasking',
      file({ steps: [...llada(), { tokens: RIGHT, masked: [0, 1] }] }),
      'masked again; remasking is not supported',
    ],
    [
      'a text longer than the answer',
      file({ steps: llada(), textTokens: 9 }),
      'textTokens is 9, and 4 positions',
    ],
    ['a list, printed over lines', '[', 'a line for each decode is wanted'],
    ['a line that was cut', file({ steps: llada() }).slice(0, 40), 'not JSON'],
  ])('%s', (_, line, message) => {
    expect(() => parseTrajectory(line, 'file:1')).toThrow(new RegExp(`^file:1: .*${message}`));
  });
});
