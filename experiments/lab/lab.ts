import type { Machine } from '../../sim/machine/machine.js';
import type { DecodingPolicy } from '../../src/decode/method/compose.js';
import { followModel } from '../../src/decode/method/fits.js';
import { isStepTiming, type StepTiming } from '../../src/decode/method/timer.js';
import type { PolicySpec } from '../../src/decode/spec.js';
import { Recent } from '../../src/util/recent.js';
import { canonicalJson } from './canonical.js';
import type { Decider } from './deciders/decider.js';
import { type ObservedCase, observe } from './deciders/facts.js';
import { readsClock, readsCosts } from './machine-use.js';
import {
  deciderIdentity,
  type OpenWeights,
  openDecider,
  openMachine,
  openPolicy,
  openWeights,
} from './open.js';
import { type ChipSetup, chipSchema, type DeciderSetup, deciderSchema, type MethodSetup } from './setup.js';

/** Machines to keep: those of the ladder. A sweep over chips has a hundred, which together fill the memory. */
const MACHINES = 4;
/** Decided cases to keep: a few megabytes each. */
const CASES = 64;

/** One case to be decided, and what it is to be timed on. */
export interface Question {
  readonly decider: DeciderSetup;
  readonly seed: number;
  /** Case, from 0. */
  readonly index: number;
  readonly genLength: number;
  readonly spec: PolicySpec;
  /** What was asked of the spec: the rest follows the model that decides; left out: the spec is taken as it is. */
  readonly asked?: Pick<MethodSetup, 'blockLength' | 'options'>;
  /** Machine that times the steps; null: a refresh lands with the step that launched it. */
  readonly clock: ChipSetup | null;
  /** Machine whose costs lookahead goes by; null: the rows of a tile are free, as in Table 2. */
  readonly costs: ChipSetup | null;
}

export interface Solution {
  readonly decided: ObservedCase;
  /** Of each step; null without a clock. */
  readonly timings: readonly StepTiming[] | null;
  readonly policy: DecodingPolicy;
}

/**
 * What one thread has open: deciders, machines, policies, and the cases it decided last. Decisions that no machine
 * can change are shared between machines: they are remembered by all that they depend on.
 */
export class Lab {
  private readonly deciders = new Map<string, Promise<Decider>>();
  private readonly weightsOf = new Map<string, Promise<OpenWeights>>();
  private readonly machines = new Recent<Machine>(MACHINES);
  private readonly policies = new Recent<DecodingPolicy>(MACHINES);
  private readonly decided = new Recent<Promise<ObservedCase>>(CASES);
  /** The question under way. They share machines and engines, so one waits for the other. */
  private last: Promise<unknown> = Promise.resolve();

  /**
   * Kept open until the lab is closed.
   * @throws UsageError for an unknown name
   */
  decider(setup: Partial<DeciderSetup>, seed: number): Promise<Decider> {
    const decider = deciderSchema.parse(setup);
    const key = `${seed} ${canonicalJson(deciderIdentity(decider))}`;
    let found = this.deciders.get(key);
    if (found === undefined) {
      found = openDecider(decider, seed);
      this.deciders.set(key, found);
    }
    return found;
  }

  /**
   * Weights of a model for the verifier, kept until the lab is closed.
   * @throws UsageError for an unknown model
   */
  weights(model: string): Promise<OpenWeights> {
    let found = this.weightsOf.get(model);
    if (found === undefined) {
      found = openWeights(model);
      this.weightsOf.set(model, found);
    }
    return found;
  }

  /**
   * At time 0 with nothing mapped. It keeps what it knows of operators, which is most of what timing costs; so it is
   * anybody's, and must be asked for anew before each decode.
   * @throws UsageError for a chip that does not exist or cannot hold the model
   */
  machine(setup: ChipSetup): Machine {
    const chip = chipSchema.parse(setup);
    const machine = this.machines.get(canonicalJson(chip), () => openMachine(chip));
    machine.reset();
    return machine;
  }

  /** @throws UsageError for a chip that does not exist */
  policy(spec: PolicySpec, costs: ChipSetup | null): DecodingPolicy {
    if (costs === null || !readsCosts(spec)) return openPolicy(spec);
    const chip = chipSchema.parse(costs);
    return this.policies.get(canonicalJson({ spec, chip }), () => openPolicy(spec, () => openMachine(chip)));
  }

  /**
   * Decides a case and times its steps.
   * @throws UsageError when the combination cannot run
   */
  solve(question: Question, signal?: AbortSignal): Promise<Solution> {
    const answer = this.last.then(() => this.solveNow(question, signal));
    this.last = answer.catch(() => {});
    return answer;
  }

  /** Gives back what was open. */
  async close(): Promise<void> {
    const opened = [...this.deciders.values(), ...this.weightsOf.values()];
    for (const each of await Promise.allSettled(opened)) if (each.status === 'fulfilled') each.value.close();
    this.deciders.clear();
    this.weightsOf.clear();
    this.decided.clear();
    this.machines.clear();
  }

  private async solveNow(asked: Question, signal: AbortSignal | undefined): Promise<Solution> {
    const question = { ...asked, spec: await this.followed(asked) };
    const { spec, clock } = question;
    const policy = this.policy(spec, question.costs);
    const key = decisionKey(question);
    let decided: ObservedCase;
    try {
      decided = await this.decided.get(key, () => this.decide(question, policy, signal));
    } catch (error) {
      this.decided.delete(key);
      throw error;
    }
    if (clock === null) return { decided, timings: null, policy };
    const timed = readsClock(spec) ? decided.steps.map(({ timing }) => timing) : [];
    if (timed.length > 0 && timed.every(isStepTiming)) return { decided, timings: timed, policy };
    const machine = this.machine(clock);
    return { decided, timings: decided.steps.map(({ plan }) => machine.time(plan)), policy };
  }

  private async followed({ decider, seed, spec, asked }: Question): Promise<PolicySpec> {
    const { trained } = await this.decider(decider, seed);
    return trained === undefined || asked === undefined ? spec : followModel(spec, trained, asked);
  }

  private async decide(
    { decider, seed, index, genLength, spec, clock }: Question,
    policy: DecodingPolicy,
    signal: AbortSignal | undefined,
  ): Promise<ObservedCase> {
    const timer = clock !== null && readsClock(spec) ? this.machine(clock) : undefined;
    return observe(await this.decider(decider, seed), index, { policy, genLength, timer, signal });
  }
}

/** All that the decisions of a case depend on; a machine only where the policy looks at it. */
function decisionKey({ decider, seed, index, genLength, spec, clock, costs }: Question): string {
  const { name: _, description: __, source: ___, ...method } = spec;
  return canonicalJson({
    decider: deciderIdentity(decider),
    seed,
    index,
    genLength,
    method,
    clock: clock !== null && readsClock(spec) ? chipSchema.parse(clock) : undefined,
    costs: costs !== null && readsCosts(spec) ? chipSchema.parse(costs) : undefined,
  });
}
