import type { Kernel } from './kernel.js';
import { appendTo, busyOf, type Pipeline, type Seam } from './pipeline.js';
import { Program } from './program.js';
import { runProgram } from './run-program.js';

/** Chunks of a row tile, row tiles, and repeats of an operator's products after which a schedule repeats itself. */
const FEW = { chunks: 5, tiles: 3, repeats: 3 } as const;

/**
 * Operators of a statically scheduled graph, one after the other: results stay in TCM, and the weights of the next
 * operator are loaded while one still runs, as far as slots allow. Event by event.
 * @returns when each operator ends, in ms from the start of the chain
 */
export function chainEndsMs(kernels: readonly Kernel[]): number[] {
  const { program, marks } = chainProgram(kernels);
  return latestEnds(program, marks);
}

/** The chain as a program, and how many tasks it has after each operator. */
export function chainProgram(kernels: readonly Kernel[]): { program: Program; marks: readonly number[] } {
  const program = new Program();
  let seam = START;
  const marks = kernels.map(({ pipelines, repeats }) => {
    for (let repeat = 0; repeat < repeats; repeat++) {
      for (const pipeline of pipelines) seam = appendTo(program, pipeline, seam);
    }
    return program.length;
  });
  return { program, marks };
}

/**
 * Closed form of the same chain. Each operator is scheduled with a few of its chunks, which is where it fills, hands
 * over to the next and drains; what was left out takes the time of its busiest unit. The cost does not depend on the
 * size of the operators.
 */
export function chainEndsClosedForm(kernels: readonly Kernel[]): number[] {
  const program = new Program();
  let seam = START;
  const marks: number[] = [];
  for (const { pipelines, repeats } of kernels) {
    const short = pipelines.map(shortened);
    for (let repeat = 0; repeat < Math.min(repeats, FEW.repeats); repeat++) {
      for (const pipeline of short) seam = appendTo(program, pipeline, seam);
      marks.push(program.length);
    }
  }
  const ends = latestEnds(program, marks);
  let mark = 0;
  let leftOutMs = 0;
  return kernels.map(({ pipelines, repeats }) => {
    const scheduled = Math.min(repeats, FEW.repeats);
    mark += scheduled;
    const endMs = ends[mark - 1];
    const onceMs = pipelines.reduce((sum, pipeline) => sum + leftOutOf(pipeline), 0);
    leftOutMs += repeats * onceMs;
    leftOutMs += (repeats - scheduled) * (endMs - (ends[mark - 2] ?? 0));
    return endMs + leftOutMs;
  });
}

const START: Seam = { ready: -1, packed: [], decoded: [] };

/** When all tasks before each mark have ended. */
function latestEnds(program: Program, marks: readonly number[]): number[] {
  const { ends } = runProgram(program);
  const ended: number[] = [];
  let task = 0;
  let endMs = 0;
  for (const until of marks) {
    for (; task < until; task++) endMs = Math.max(endMs, ends[task]);
    ended.push(endMs);
  }
  return ended;
}

function shortened(pipeline: Pipeline): Pipeline {
  const { tiles, fullChunks } = pipeline;
  return {
    ...pipeline,
    tiles: Math.min(tiles, FEW.tiles),
    fullChunks: Math.min(fullChunks, FEW.chunks),
  };
}

/** Time of the chunks that `shortened` leaves out; 0 where it leaves out none. */
function leftOutOf(pipeline: Pipeline): number {
  const done = busyOf(shortened(pipeline));
  return Math.max(...busyOf(pipeline).map((busy, unit) => busy - done[unit as 0]));
}
