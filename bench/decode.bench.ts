/**
 * What decoding itself costs: scoring logits, the policy, the law checker. The model is a table of random logits.
 * Goal: a policy step (plan and apply) far below one forward of the tiny model (15 ms).
 */
import { bench, describe } from 'vitest';
import { checkLaws } from '../src/decode/laws/check.js';
import type { CheckedStep } from '../src/decode/laws/law.js';
import { draftWritesBetween, kvWritesBetween } from '../src/decode/method/step-record.js';
import { policyByName } from '../src/decode/policies.js';
import { scoreRow } from '../src/decode/rules/score-row.js';
import type { Pass, PassOutcome } from '../src/pass/pass.js';
import { hashNumbers } from '../src/util/hash-numbers.js';

const MASK = 9;
const PROMPT = Array.from({ length: 90 }, (_, index) => index % 8);
const GEN_LENGTH = 128;

/** Outcomes without logits: token and confidence drawn from the position and the step. */
function outcomeOf(pass: Pass): PassOutcome {
  const rows = pass.logits.map((row) => {
    const { position } = pass.rows[row];
    const draw = hashNumbers(position, pass.version);
    return { position, token: draw % 8, confidence: 1 - (draw / 4294967296) ** 2 };
  });
  return { passId: pass.id, rows };
}

function policySteps(name: string): { steps: CheckedStep[]; start: ReturnType<typeof start> } {
  const policy = policyByName(name);
  let canvas = policy.start(PROMPT, GEN_LENGTH, MASK);
  const steps: CheckedStep[] = [];
  for (let plan = policy.plan(canvas); plan !== null; plan = policy.plan(canvas)) {
    const outcomes = plan.passes.map(outcomeOf);
    const before = canvas;
    const {
      canvas: after,
      transitions,
      dropped,
      accepted,
    } = policy.apply(before, plan, outcomes[0], outcomes.slice(1));
    canvas = after;
    const landed = outcomes.slice(1).map(({ passId }) => passId);
    const writes = {
      kvWrites: kvWritesBetween(before, after),
      draftWrites: draftWritesBetween(before, after),
    };
    steps.push({ plan, outcomes, landed, transitions, dropped, accepted, ...writes });
  }
  return { steps, start: start(name) };
}

function start(name: string) {
  return policyByName(name).start(PROMPT, GEN_LENGTH, MASK);
}

const trained = { attention: 'bidirectional' } as const;
const OPTIONS = { time: 1000, warmupTime: 200 };

describe.each(['block-kv', 'llada.cpp'])('%s, prompt 90, 128 tokens', (name) => {
  const { steps, start: canvas } = policySteps(name);
  bench(`policy alone, ${steps.length} steps`, () => void policySteps(name), OPTIONS);
  bench(
    `laws of ${steps.length} steps`,
    () => {
      const broken = checkLaws({ start: canvas, stepBudget: 1000, trained, givenUp: [] }, steps);
      if (broken.length > 0) throw new Error(broken[0].message);
    },
    OPTIONS,
  );
});

describe('scoring 32 rows of logits', () => {
  for (const vocab of [443, 126_464]) {
    const logits = Float32Array.from(
      { length: 32 * vocab },
      (_, index) => (hashNumbers(index) / 4294967296) * 12,
    );
    bench(
      `vocabulary ${vocab}`,
      () => {
        for (let row = 0; row < 32; row++) scoreRow(logits, row, vocab, MASK);
      },
      OPTIONS,
    );
  }
});
