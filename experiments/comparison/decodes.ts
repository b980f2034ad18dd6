import { type PolicySpecInput, parsePolicySpec } from '../../src/decode/spec.js';
import { canonicalJson } from '../lab/canonical.js';
import type { Decider } from '../lab/deciders/decider.js';
import { type DecodeFacts, factsOf } from '../lab/deciders/facts.js';
import type { Lab } from '../lab/lab.js';
import { type ChipSetup, deciderSchema } from '../lab/setup.js';
import type { MachineChoice } from './machine-choice.js';
import type { WorkbenchHooks, WorkbenchOptions } from './options.js';

/** What decodes need of a workbench. */
export interface DecodingBench {
  readonly options: WorkbenchOptions;
  readonly hooks: WorkbenchHooks;
  readonly lab: Lab;
  chip(choice: MachineChoice): ChipSetup;
}

/** Decodes of one decider. Equal requests are decoded once. */
export class Decodes {
  private readonly done = new Map<string, Promise<DecodeFacts[]>>();
  private asked = new Set<number>();

  constructor(
    private readonly bench: DecodingBench,
    readonly decider: Decider,
    private readonly seed: number,
  ) {}

  /** Cases of every request. */
  get cases(): number {
    return this.bench.options.prompts ?? this.decider.defaultCases;
  }

  /** Forgets what was asked so far: a study counts its own. */
  startCounting(): void {
    this.asked = new Set();
  }

  /** Cases that a study decoded as runs of the store. */
  ran(cases: number): void {
    this.asked.add(cases);
  }

  /** Who decided what was asked since: with the cases that really ran, not those that were there. */
  get decided(): string {
    const counts = [...this.asked].sort((a, b) => b - a);
    if (counts.length === 0) return `${this.decider.name}, on as many cases as the runs say`;
    const fewer = counts.slice(1).map((count) => `${count}`);
    const rest = fewer.length === 0 ? '' : `; parts of it on ${fewer.join(' and ')} of them`;
    return `${this.decider.decisions(counts[0])}${rest}`;
  }

  /**
   * Every case under one policy.
   * @param clock machine that times the decode; `none`: a refresh lands with the step that launched it
   * @param most cases at most, for wide sweeps
   */
  run(
    spec: PolicySpecInput,
    clock: 'none' | MachineChoice = 'none',
    most = Number.POSITIVE_INFINITY,
  ): Promise<DecodeFacts[]> {
    const { bench } = this;
    const chip = clock === 'none' ? null : bench.chip(clock);
    return this.remembered(spec, chip, chip ?? bench.chip(LLADA_CPP), most);
  }

  /** The same on a chip of the study's own, another model's shapes among others. */
  runOn(spec: PolicySpecInput, chip: ChipSetup, most = Number.POSITIVE_INFINITY): Promise<DecodeFacts[]> {
    return this.remembered(spec, chip, chip, most);
  }

  private remembered(
    spec: PolicySpecInput,
    clock: ChipSetup | null,
    costs: ChipSetup,
    most: number,
  ): Promise<DecodeFacts[]> {
    const cases = Math.min(most, this.cases);
    this.asked.add(cases);
    const { name: _, description: __, source: ___, ...method } = parsePolicySpec(spec);
    const key = canonicalJson({ cases, clock, costs, method });
    let found = this.done.get(key);
    if (found === undefined) {
      found = this.decodeAll(spec, clock, costs, cases);
      this.done.set(key, found);
    }
    return found;
  }

  private async decodeAll(
    spec: PolicySpecInput,
    clock: ChipSetup | null,
    costs: ChipSetup,
    cases: number,
  ): Promise<DecodeFacts[]> {
    const { bench, seed } = this;
    const question = {
      decider: deciderSchema.parse({ workload: this.decider.name }),
      seed,
      genLength: bench.options.genLength,
      spec: parsePolicySpec(spec),
      clock,
      costs,
    };
    const facts: DecodeFacts[] = [];
    for (let index = 0; index < cases; index++) {
      const { decided, timings } = await bench.lab.solve({ ...question, index }, bench.hooks.signal);
      facts.push(factsOf(decided, timings));
    }
    return facts;
  }
}

/** The paper's system: its stack with the memory runtime. */
export const LLADA_CPP: MachineChoice = { stack: 'llada.cpp', memory: 'somr' };
