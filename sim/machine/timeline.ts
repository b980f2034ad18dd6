import type { ResourceName } from '../../src/decode/method/timer.js';

/** Rows of the timeline: resources, plus staging copies and refresh passes, which both use CPU cores. */
export type Track = Exclude<ResourceName, 'dram'> | 'staging' | 'refresh';
export const TRACKS: readonly Track[] = [
  'driver',
  'dma',
  'l2',
  'vector',
  'matrix',
  'cpu',
  'gpu',
  'staging',
  'refresh',
];

/** Something that was busy for a while. */
export interface Span {
  /** Where it stands in a timeline. */
  readonly track: Track;
  /** Op id, task kind, or what the driver did. */
  readonly name: string;
  /** Op kind, role of a product, or `dispatch`, `cache maintenance`, `map`, `copy`, `refresh`. */
  readonly category: string;
  /** Null outside the layers. */
  readonly layer: number | null;
  /** From 0. */
  readonly step: number;
  /** Simulated ms. */
  readonly startMs: number;
  /** Simulated ms. */
  readonly endMs: number;
  /** Busy time inside the span; less than its length where an operator leaves gaps. */
  readonly busyMs: number;
  /** Of a task: its number in the timeline. */
  readonly task?: number;
  /** Number of the task whose result it takes. */
  readonly from?: number;
  /** Bytes moved. */
  readonly bytes?: number;
  /** Multiply-accumulates performed. */
  readonly macs?: number;
}

/** A counter's value from `tMs` on. */
export interface CounterSample {
  /** What is counted. */
  readonly name: string;
  /** Simulated ms. */
  readonly tMs: number;
  /** In the unit that the name says. */
  readonly value: number;
}

/** What a machine did, for a figure or Perfetto. */
export interface Timeline {
  /** Its name. */
  readonly machine: string;
  /** Busy times, by start. */
  readonly spans: readonly Span[];
  /** Samples over time. */
  readonly counters: readonly CounterSample[];
  /** Begin and end of each step, in ms. */
  readonly steps: readonly { readonly step: number; readonly startMs: number; readonly endMs: number }[];
}

/** `none`; one span per operator and resource; or one per task of an operator. */
export type Recording = 'none' | 'op' | 'chunk';

/** Collects a timeline; does nothing when recording is off. */
export class Recorder {
  private spans: Span[] = [];
  private counters: CounterSample[] = [];
  private tasks = 0;
  private steps: { step: number; startMs: number; endMs: number }[] = [];

  constructor(readonly level: Recording) {}

  get on(): boolean {
    return this.level !== 'none';
  }

  span(span: Span): void {
    if (this.on && span.endMs > span.startMs) this.spans.push(span);
  }

  counter(name: string, tMs: number, value: number): void {
    if (this.on) this.counters.push({ name, tMs, value });
  }

  /** Numbers for `count` tasks. @returns the first */
  number(count: number): number {
    this.tasks += count;
    return this.tasks - count;
  }

  step(step: number, startMs: number, endMs: number): void {
    if (this.on) this.steps.push({ step, startMs, endMs });
  }

  timeline(machine: string): Timeline {
    return { machine, spans: this.spans, counters: this.counters, steps: this.steps };
  }

  clear(): void {
    this.spans = [];
    this.counters = [];
    this.tasks = 0;
    this.steps = [];
  }
}
