import { describe, expect, it } from 'vitest';
import { closedFormMs, type Pipeline, serialMs, toProgram } from '../../../sim/machine/pipeline.js';
import { Program } from '../../../sim/machine/program.js';
import { DMA, MATRIX, VECTOR } from '../../../sim/machine/resources.js';
import { runProgram } from '../../../sim/machine/run-program.js';

const STAGES = { loadMs: 4, decodeMs: 2, multiplyMs: 1, finishMs: 0, storeMs: 0 };
const PLAIN: Pipeline = {
  path: 'dma',
  tiles: 1,
  setup: { loadMs: 0, convertMs: 0 },
  chunk: STAGES,
  fullChunks: 5,
  rest: null,
};

describe('an operator as a pipeline of chunks', () => {
  it('load-bound: loads follow each other, the last chunk drains', () => {
    expect(runProgram(toProgram(PLAIN)).ms).toBe(5 * 4 + 2 + 1);
    // Spans only where they are asked for.
    expect(runProgram(toProgram(PLAIN)).spans).toEqual([]);
    expect(serialMs(PLAIN)).toBe(5 * 7);
    expect(closedFormMs(PLAIN)).toBe(23);
  });

  it('decode-bound: two packed slots let loads run ahead by no more than two chunks', () => {
    const slow = { ...PLAIN, chunk: { ...STAGES, loadMs: 1, decodeMs: 4 } };
    const { ms, spans } = runProgram(toProgram(slow), true);
    expect(ms).toBe(1 + 5 * 4 + 1);
    const loads = spans.filter((span) => span.kind === 'load').map((span) => span.startMs);
    // Chunk 2 may start to load when chunk 0 is decoded at 5, chunk 3 at 9, chunk 4 at 13.
    expect(loads).toEqual([0, 1, 5, 9, 13]);
  });

  it('multiply-bound: two decoded slots', () => {
    const slow = { ...PLAIN, chunk: { ...STAGES, loadMs: 1, decodeMs: 1, multiplyMs: 5 } };
    const { ms, spans } = runProgram(toProgram(slow), true);
    expect(ms).toBe(2 + 5 * 5);
    const decodes = spans.filter((span) => span.kind === 'decode').map((span) => span.startMs);
    // Chunk 2 is decoded when chunk 0 was multiplied at 7, and so on.
    expect(decodes).toEqual([1, 2, 7, 12, 17]);
  });

  it('finish-bound: three finished chunks may wait, the fourth product waits for the first to leave', () => {
    const chunk = { loadMs: 1, decodeMs: 0, multiplyMs: 1, finishMs: 10, storeMs: 0 };
    const { spans } = runProgram(toProgram({ ...PLAIN, chunk }), true);
    const products = spans.filter((span) => span.kind === 'multiply').map((span) => span.startMs);
    // Chunk 0 is finished at 12, chunk 1 at 22.
    expect(products).toEqual([1, 2, 3, 12, 22]);
  });

  it('the shorter chunk is the last of each tile', () => {
    const rest = { ...STAGES, loadMs: 1 };
    const { spans } = runProgram(toProgram({ ...PLAIN, tiles: 2, fullChunks: 2, rest }), true);
    const loads = spans.filter((span) => span.kind === 'load');
    expect(loads.map(({ startMs, endMs }) => endMs - startMs)).toEqual([4, 4, 1, 4, 4, 1]);
  });

  it('every row tile loads its activations before it multiplies', () => {
    const tiled = { ...PLAIN, tiles: 2, fullChunks: 1, setup: { loadMs: 3, convertMs: 1 } };
    const { spans } = runProgram(toProgram(tiled), true);
    const order = spans.map((span) => `${span.kind}@${span.startMs}`);
    // Activations 0-3 (converted 3-4), chunk 3-7 (decoded 7-9), next activations 7-10, next chunk 10-14.
    expect(order).toEqual([
      'load@0',
      'convert@3',
      'load@3',
      'decode@7',
      'load@7',
      'multiply@9',
      'convert@10',
      'load@10',
      'decode@14',
      'multiply@16',
    ]);
  });

  it('without overlap every chunk is stored before the next is loaded', () => {
    const chunk = { ...STAGES, finishMs: 1, storeMs: 2 };
    const rest = { ...chunk, loadMs: 1 };
    const serial: Pipeline = {
      ...PLAIN,
      tiles: 2,
      setup: { loadMs: 3, convertMs: 1 },
      chunk,
      fullChunks: 3,
      rest,
      serial: true,
    };
    expect(serialMs(serial)).toBe(2 * (3 + 1 + 3 * 10 + 7));
    expect(runProgram(toProgram(serial)).ms).toBe(serialMs(serial));
    expect(closedFormMs(serial)).toBe(serialMs(serial));
    expect(runProgram(toProgram({ ...serial, serial: false })).ms).toBeLessThan(serialMs(serial));
  });

  it('vector operators store a block as soon as the next is loaded', () => {
    const chunk = { loadMs: 1, decodeMs: 0, multiplyMs: 0, finishMs: 1, storeMs: 1 };
    const { spans, ms } = runProgram(toProgram({ ...PLAIN, fullChunks: 3, chunk }), true);
    const starts = (kind: string) => spans.filter((span) => span.kind === kind).map((span) => span.startMs);
    // One mover: load 0, load 1, store 0, load 2, store 1, store 2.
    expect(starts('load')).toEqual([0, 1, 3]);
    expect(starts('vector')).toEqual([1, 2, 4]);
    expect(starts('store')).toEqual([2, 4, 5]);
    expect(ms).toBe(6);
  });

  it('loads run two chunks ahead of a conversion in closed form too, however many there are', () => {
    const chunk = { ...STAGES, decodeMs: 0 };
    const held = (fullChunks: number): Pipeline => ({
      ...PLAIN,
      fullChunks,
      chunk,
      setup: { loadMs: 0, convertMs: 20 },
    });
    // Two of five loads by 8, converted at 20; three loads and a product. By events the third load waits for the first product.
    expect(closedFormMs(held(5))).toBe(20 + 3 * 4 + 1);
    expect(runProgram(toProgram(held(5))).ms).toBe(20 + 1 + 3 * 4 + 1);
    // A single chunk is there when the conversion ends.
    expect(closedFormMs(held(1))).toBe(20 + 1);
    expect(runProgram(toProgram(held(1))).ms).toBe(20 + 1);
  });

  it('stores trail behind loads and keep the result of the last chunk until the end', () => {
    const storing = { ...PLAIN, fullChunks: 2, chunk: { ...STAGES, finishMs: 1, storeMs: 1 } };
    const { spans, ms } = runProgram(toProgram(storing), true);
    const stores = spans.filter((span) => span.kind === 'store').map((span) => span.startMs);
    // Chunk 0 is multiplied at 7, but decoding chunk 1 (8-10) has its turn on the vector unit first.
    expect(stores).toEqual([11, 12]);
    expect(ms).toBe(13);
  });
});

describe('runProgram', () => {
  it('keeps program order on a unit even when a later task could start', () => {
    const program = new Program();
    const load = program.add(DMA, 'load', 5);
    program.add(VECTOR, 'decode', 1, 0, load);
    program.add(VECTOR, 'vector', 1);
    const starts = runProgram(program, true).spans.map((span) => [span.kind, span.startMs]);
    expect(starts).toEqual([
      ['load', 0],
      ['decode', 5],
      ['vector', 6],
    ]);
  });

  it('refuses a task that comes after a later one', () => {
    const program = new Program();
    program.add(MATRIX, 'multiply', 1, 0, 1);
    program.add(MATRIX, 'multiply', 1);
    expect(() => runProgram(program)).toThrow('task 0 of an operator comes after task 1');
    const own = new Program();
    own.add(DMA, 'load', 1, 0, 0);
    expect(() => runProgram(own)).toThrow('task 0 of an operator comes after task 0');
  });
});

describe('a task of a program', () => {
  it.each([0, 1, 2, 3])(
    'waits for its unit and for all that it comes after, number %i the last of them',
    (slow) => {
      const program = new Program();
      const before = [0, 1, 2, 3].map((each) =>
        program.add(each === slow ? DMA : VECTOR, 'load', each === slow ? 10 : 1),
      );
      const [a, b, c, d] = before;
      const last = program.add(MATRIX, 'multiply', 2, 0, a, b, c, d);
      const { ends, ms, busyMs } = runProgram(program);
      expect(ends[last]).toBe(12);
      expect(ms).toBe(12);
      expect(busyMs).toEqual([2, 3, 10, 0]);
    },
  );

  it('cannot come after one that is added later', () => {
    const program = new Program();
    program.add(DMA, 'load', 1, 0, 1);
    program.add(DMA, 'load', 1);
    expect(() => runProgram(program)).toThrow('task 0 of an operator comes after task 1');
  });
});
