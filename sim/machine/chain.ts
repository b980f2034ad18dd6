import type { Kernel } from './kernel.js';
import { appendTo, busyOf, PIPELINE_SLOTS, type Pipeline, type Seam } from './pipeline.js';
import { Program } from './program.js';
import { runProgram } from './run-program.js';

/**
 * Operators of a statically scheduled graph, one after the other: results stay in TCM, and the weights of the next
 * operator are loaded while one still runs, as far as slots allow. Event by event.
 * @returns when each operator ends, in ms from the start of the chain
 */
export function chainEndsMs(kernels: readonly Kernel[]): number[] {
  const program = new Program();
  let seam: Seam = { ready: -1, packed: [], decoded: [] };
  const last = kernels.map(({ pipelines }) => {
    for (const pipeline of pipelines) seam = appendTo(program, pipeline, seam);
    return program.length;
  });
  const { ends } = runProgram(program);
  const ended: number[] = [];
  let task = 0;
  let endMs = 0;
  for (const until of last) {
    for (; task < until; task++) endMs = Math.max(endMs, ends[task] ?? 0);
    ended.push(endMs);
  }
  return ended;
}

/** Closed form of the same chain: what DMA can load ahead while it would idle shortens the next operator's loads. */
export function chainEndsClosedForm(kernels: readonly Kernel[]): number[] {
  const ended: number[] = [];
  let nowMs = 0;
  let idleMs = 0;
  for (const { pipelines } of kernels) {
    for (const pipeline of pipelines) {
      const { ms, loadedAheadMs, dmaMs } = afterIdle(pipeline, idleMs);
      nowMs += ms;
      idleMs = Math.max(0, idleMs - loadedAheadMs) + Math.max(0, ms - (dmaMs - loadedAheadMs));
      if (dmaMs > 0) idleMs = Math.min(idleMs, Math.max(0, ms - (dmaMs - loadedAheadMs)));
    }
    ended.push(nowMs);
  }
  return ended;
}

function afterIdle(pipeline: Pipeline, idleMs: number): { ms: number; loadedAheadMs: number; dmaMs: number } {
  const { setup, chunk, fullChunks, rest } = pipeline;
  const first = fullChunks > 0 ? chunk : (rest ?? chunk);
  const last = rest ?? chunk;
  const [matrix, vector, dma] = busyOf(pipeline);
  const loadedAheadMs = Math.min(idleMs, PIPELINE_SLOTS.packed * first.loadMs, dma);
  const ahead = setup.loadMs + Math.max(0, first.loadMs - loadedAheadMs);
  const ms = Math.max(
    dma - loadedAheadMs + last.decodeMs + last.multiplyMs + last.finishMs,
    vector + ahead + last.multiplyMs + last.storeMs,
    matrix + ahead + first.decodeMs + last.finishMs + last.storeMs,
  );
  return { ms, loadedAheadMs, dmaMs: dma };
}
