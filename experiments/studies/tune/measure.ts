import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { energyOf } from '../../../sim/energy/energy.js';
import { latencyTable } from '../../../sim/machine/latency-table.js';
import type { Machine } from '../../../sim/machine/machine.js';
import { composePolicy, type DecodingPolicy } from '../../../src/decode/method/compose.js';
import { DataError } from '../../../src/errors.js';
import { atomicWriteFile } from '../../../src/util/atomic-write.js';
import type { Bench } from '../../comparison/bench.js';
import { LLADA_CPP } from '../../comparison/decodes.js';
import type { Decider } from '../../lab/deciders/decider.js';
import type { Candidate } from './space.js';

const sampleSchema = z.strictObject({
  candidate: z.string(),
  index: z.int().min(0),
  exact: z.boolean(),
  seconds: z.number(),
  joules: z.number(),
  forwards: z.number(),
});

/** One problem under one candidate. */
export type Sample = z.infer<typeof sampleSchema>;

/** Decodes, timed and scored, kept in a file line by line: a run that was killed goes on where it stopped. */
export class Measurements {
  private readonly known = new Map<string, Sample>();
  private readonly policies = new Map<string, DecodingPolicy>();
  private machine: Machine | null = null;

  /**
   * @param path of the checkpoint; null keeps nothing
   * @param identity everything else that a sample depends on, as text
   */
  constructor(
    private readonly bench: Bench,
    private readonly workload: Decider,
    private readonly path: string | null,
    private readonly identity: string,
  ) {
    if (path === null || !existsSync(path)) return;
    const lines = readFileSync(path, 'utf8').split('\n');
    // The last line may be cut off by a kill: it is measured again.
    const whole = lines.slice(0, -1).filter((line) => line !== '');
    for (const [at, line] of whole.entries()) {
      const sample = parseSample(line, `${path}:${at + 1}`);
      this.known.set(`${sample.candidate} ${sample.index}`, sample);
    }
    const rest = lines.at(-1) ?? '';
    if (rest !== '') atomicWriteFile(path, whole.map((line) => `${line}\n`).join(''));
  }

  /** What tells a candidate's samples apart from all others'. */
  keyOf(candidate: Candidate): string {
    const { name: _, description: __, source: ___, ...method } = candidate.spec;
    return createHash('sha256')
      .update(`${this.identity} ${JSON.stringify(method)}`)
      .digest('hex')
      .slice(0, 16);
  }

  has(candidate: Candidate, index: number): boolean {
    return this.known.has(`${this.keyOf(candidate)} ${index}`);
  }

  async sample(candidate: Candidate, index: number): Promise<Sample> {
    const key = this.keyOf(candidate);
    const found = this.known.get(`${key} ${index}`);
    if (found !== undefined) return found;
    const { genLength } = this.bench.options;
    const { signal } = this.bench.hooks;
    const timer = this.timer();
    const { steps, answer } = await this.workload.decode(index, {
      policy: this.policy(candidate, key),
      genLength,
      timer,
      ...(signal === undefined ? {} : { signal }),
    });
    const timings = steps.flatMap(({ timing }) => (timing === null ? [] : [timing]));
    const sample: Sample = {
      candidate: key,
      index,
      exact: answer?.exact ?? false,
      seconds: (timings.at(-1)?.endMs ?? 0) / 1000,
      joules: energyOf(timings, this.bench.hardware).joules,
      forwards: steps.length,
    };
    this.known.set(`${key} ${index}`, sample);
    if (this.path !== null) appendFileSync(this.path, `${JSON.stringify(sample)}\n`);
    return sample;
  }

  private timer(): Machine {
    this.machine ??= this.bench.machine(LLADA_CPP.stack, LLADA_CPP.memory);
    this.machine.reset();
    return this.machine;
  }

  private policy(candidate: Candidate, key: string): DecodingPolicy {
    let policy = this.policies.get(key);
    if (policy === undefined) {
      const table = latencyTable(this.bench.machine(LLADA_CPP.stack, LLADA_CPP.memory));
      policy = composePolicy(candidate.spec, { latencyTable: table });
      this.policies.set(key, policy);
    }
    return policy;
  }
}

function parseSample(line: string, where: string): Sample {
  try {
    return sampleSchema.parse(JSON.parse(line));
  } catch {
    throw new DataError(`${where}: no sample of a search; delete the line or choose another --out`);
  }
}
