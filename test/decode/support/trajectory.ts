import type { ApplyResult, Canvas } from '../../../src/decode/canvas/types.js';
import { checkLaws, describeViolation } from '../../../src/decode/laws/check.js';
import { composePolicy } from '../../../src/decode/method/compose.js';
import { countWork } from '../../../src/decode/method/counters.js';
import { shownBy } from '../../../src/decode/method/fits.js';
import {
  draftWritesBetween,
  kvWritesBetween,
  type StepRecord,
} from '../../../src/decode/method/step-record.js';
import { factsOf, lawsGivenUp } from '../../../src/decode/parts.js';
import type { PolicySpec } from '../../../src/decode/spec.js';
import { decodeStep, encodeStep } from '../../../src/decode/trace/schema.js';
import type { PassOutcome, StepPlan } from '../../../src/pass/pass.js';
import { hashNumbers } from '../../../src/util/hash-numbers.js';
import { DECIDER_END, DECIDER_MASK, Decider } from './decider.js';
import { SMALL_TILES } from './run.js';

/** A decode that is followed step by step. */
export interface Scenario {
  readonly name: string;
  readonly spec: PolicySpec;
  readonly promptLength: number;
  readonly genLength: number;
  readonly given?: readonly number[];
  readonly seed: number;
  /** Steps that a refresh takes at most. */
  readonly longestDelay: number;
  /** Every fourth token ends the text; default: few do. */
  readonly endsOften?: boolean;
}

/** What is compared of a step, group by group. */
export const GROUPS = ['rows', 'sees', 'changes', 'keeps', 'canvas'] as const;
export type Group = (typeof GROUPS)[number];
export type Followed = Readonly<Record<Group, unknown>>;

export interface Trajectory {
  /** The canvas before the first step. */
  readonly start: Canvas;
  readonly steps: readonly Followed[];
  /** Work, counted. */
  readonly counted: unknown;
  readonly records: readonly StepRecord[];
}

function followed(
  { plan, outcomes: _, timing: __, ...rest }: StepRecord,
  canvas: Canvas,
  live: unknown,
): Followed {
  const { transitions, ...keeps } = rest;
  const { positions, ...others } = canvas;
  return {
    rows: [
      plan.step,
      plan.block,
      plan.joins,
      plan.passes.map(({ id, kind, lane, version, rows }) => [id, kind, lane, version, rows]),
    ],
    sees: plan.passes.map(({ reads, visibility, logits, guidance, adapter }) => [
      reads,
      visibility,
      logits,
      guidance,
      adapter,
    ]),
    changes: transitions,
    keeps: [keeps, live],
    canvas: [
      others,
      positions.map(({ state, token, confidence, stale, draft }) => [state, token, confidence, stale, draft]),
    ],
  };
}

/** Side passes that are finished when a step ends, in no order. */
class Delays {
  private pending: { readonly outcome: PassOutcome; readonly until: number; readonly rank: number }[] = [];

  constructor(private readonly scenario: Scenario) {}

  landed({ step, passes, joins }: StepPlan, outcomes: readonly PassOutcome[]): PassOutcome[] {
    const { seed, longestDelay } = this.scenario;
    for (const index of passes.keys()) {
      if (index === 0) continue;
      const delay = joins === true ? 0 : hashNumbers(seed, step, index, 10) % (longestDelay + 1);
      this.pending.push({
        outcome: outcomes[index],
        until: step + delay,
        rank: hashNumbers(seed, step, index, 11),
      });
    }
    const done = this.pending.filter(({ until }) => until <= step).sort((a, b) => a.rank - b.rank);
    this.pending = this.pending.filter(({ until }) => until > step);
    return done.map(({ outcome }) => outcome);
  }
}

/** Steps a policy on what a decider says, and notes everything. */
export function follow(scenario: Scenario): Trajectory {
  const { spec, promptLength, genLength, given, seed, endsOften } = scenario;
  const policy = composePolicy(spec, SMALL_TILES);
  const decider = new Decider(seed, spec, endsOften);
  const delays = new Delays(scenario);
  const prompt = Array.from({ length: promptLength }, (_, at) => at % 7);
  const start = policy.start(prompt, genLength, DECIDER_MASK, { endIds: [DECIDER_END], given });
  const stepBudget = policy.stepBudget(genLength);
  const records: StepRecord[] = [];
  const steps: Followed[] = [];
  let canvas = start;
  for (let plan = policy.plan(canvas); plan !== null; plan = policy.plan(canvas)) {
    if (records.length > stepBudget)
      throw new Error(`${scenario.name} is not finished in ${stepBudget} steps`);
    const { step } = plan;
    const outcomes = plan.passes.map((pass) => decider.outcome(pass, step));
    const landed = delays.landed(plan, outcomes);
    const before = canvas;
    const applied: ApplyResult = policy.apply(before, plan, outcomes[0], landed);
    canvas = applied.canvas;
    const record: StepRecord = {
      plan,
      outcomes,
      landed: landed.map(({ passId }) => passId),
      transitions: applied.transitions,
      dropped: applied.dropped,
      accepted: applied.accepted,
      kvWrites: kvWritesBetween(before, canvas),
      draftWrites: draftWritesBetween(before, canvas),
      timing: null,
    };
    records.push(record);
    steps.push(followed(record, canvas, applied.liveKv));
  }
  const tokens = canvas.positions.slice(promptLength).map(({ token }) => token);
  return { start, steps, records, counted: countWork(canvas, records, tokens, canvas.endIds) };
}

/** Laws that a trajectory breaks. */
export function brokenBy({ spec, genLength }: Scenario, { start, records }: Trajectory): string[] {
  const { orders } = factsOf(spec).commit;
  const trained = { ...shownBy(spec), shiftLogits: factsOf(spec).cache.opens === 'predicted', orders };
  const givenUp = lawsGivenUp(spec).map(({ part }) => part);
  const stepBudget = composePolicy(spec, SMALL_TILES).stepBudget(genLength);
  return checkLaws({ start, stepBudget, givenUp, trained }, records).map(describeViolation);
}

/** Steps that a line of a trace does not give back. */
export function lostOf({ records }: Trajectory): number[] {
  const isLost = (record: StepRecord): boolean =>
    JSON.stringify(inOrder(decodeStep(encodeStep(record)))) !== JSON.stringify(inOrder(record));
  return records.flatMap((record, at) => (isLost(record) ? [at] : []));
}

/** A record with its keys in one order. */
const inOrder = ({ plan, outcomes, ...rest }: StepRecord): unknown => [
  plan.step,
  plan.block,
  plan.joins,
  plan.passes.map(({ id, kind, lane, version, rows, reads, visibility, logits, guidance, adapter }) => [
    ...[id, kind, lane, version, reads, visibility, logits, guidance, adapter],
    rows.map(({ position, feed, draw, asks, excludes }) => [position, feed, draw, asks, excludes]),
  ]),
  outcomes.map(({ passId, rows }) => [
    passId,
    rows.map(({ position, token, confidence, asked, drift, gap, instead }) => [
      position,
      token,
      confidence,
      asked,
      drift,
      gap,
      instead,
    ]),
  ]),
  [rest.landed, rest.transitions, rest.dropped, rest.kvWrites, rest.draftWrites, rest.accepted],
];

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Letters that stand for a value: six bits each of FNV-1a of its JSON, hashed on. */
export function letters(value: unknown, count = 2): string {
  const text = JSON.stringify(value);
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return Array.from({ length: count }, (_, at) => LETTERS[hashNumbers(hash, at) >>> 26]).join('');
}

/** A step in letters, two for each group. */
export const inLetters = (step: Followed): string => GROUPS.map((group) => letters(step[group])).join('');
