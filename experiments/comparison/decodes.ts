import { latencyTable } from '../../sim/machine/latency-table.js';
import type { Machine } from '../../sim/machine/machine.js';
import { composePolicy } from '../../src/decode/method/compose.js';
import type { LatencyTable } from '../../src/decode/rules/rule.js';
import type { PolicySpecInput } from '../../src/decode/spec.js';
import type { Decider } from '../lab/deciders/decider.js';
import { type DecodeFacts, decodeFacts } from '../lab/deciders/facts.js';
import type { Bench, MachineChoice } from './bench.js';

/** Machines to keep: those of the ladder. A sweep over chips has a hundred, which together fill the memory. */
const KEPT = 4;

/** The last few things that were asked for. */
class Recent<T> {
  private readonly kept = new Map<string, T>();

  get(key: string, make: () => T): T {
    const found = this.kept.get(key) ?? make();
    // Last in the order of the map is the latest.
    this.kept.delete(key);
    this.kept.set(key, found);
    const [oldest] = this.kept.keys();
    if (this.kept.size > KEPT && oldest !== undefined) this.kept.delete(oldest);
    return found;
  }
}

/** Decodes of a workload. Equal requests are decoded once. */
export class Decodes {
  private readonly done = new Map<string, Promise<DecodeFacts[]>>();
  private readonly tables = new Recent<LatencyTable>();
  private readonly machines = new Recent<Machine>();
  /** The decode under way. They share machines, so one waits for the other. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly bench: Bench,
    readonly workload: Decider,
  ) {}

  /** Cases of every request. */
  get cases(): number {
    return this.bench.options.prompts ?? this.workload.defaultCases;
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
    const cases = Math.min(most, this.cases);
    const { name: _, description: __, source: ___, ...identity } = { description: '', source: '', ...spec };
    const key = `${cases} ${JSON.stringify(clock)} ${JSON.stringify(identity)}`;
    let found = this.done.get(key);
    if (found === undefined) {
      found = this.last.then(() => this.decodeAll(spec, clock, cases));
      this.last = found.catch(() => {});
      this.done.set(key, found);
    }
    return found;
  }

  private async decodeAll(
    spec: PolicySpecInput,
    clock: 'none' | MachineChoice,
    cases: number,
  ): Promise<DecodeFacts[]> {
    const { genLength } = this.bench.options;
    const { signal } = this.bench.hooks;
    const on = clock === 'none' ? LLADA_CPP : clock;
    const policy = composePolicy(spec, { latencyTable: this.table(on) });
    const facts: DecodeFacts[] = [];
    for (let index = 0; index < cases; index++) {
      const request = { policy, genLength, ...(signal === undefined ? {} : { signal }) };
      const timer = clock === 'none' ? undefined : this.machine(clock);
      facts.push(
        await decodeFacts(this.workload, index, timer === undefined ? request : { ...request, timer }),
      );
    }
    return facts;
  }

  /** At time 0 with nothing mapped. It keeps what it knows of operators, which is most of what timing costs. */
  private machine(clock: MachineChoice): Machine {
    const machine = this.machines.get(JSON.stringify(clock), () =>
      this.bench.machine(clock.stack, clock.memory, clock),
    );
    machine.reset();
    return machine;
  }

  /** Costs that lookahead is decided by, profiled once per machine. */
  private table(clock: MachineChoice): LatencyTable {
    return this.tables.get(JSON.stringify(clock), () =>
      latencyTable(this.bench.machine(clock.stack, clock.memory, clock)),
    );
  }
}

/** The paper's system: its stack with the memory runtime. */
export const LLADA_CPP: MachineChoice = { stack: 'llada.cpp', memory: 'somr' };
