import { describe, expect, it } from 'vitest';
import { loadProfile } from '../../../sim/hardware/load-profile.js';
import { lowerProduct } from '../../../sim/machine/lower/any-product.js';
import { attentionKernel } from '../../../sim/machine/lower/attention.js';
import { vectorAttention } from '../../../sim/machine/lower/htp/attention-vector.js';
import { htpProduct } from '../../../sim/machine/lower/htp/product-matrix.js';
import { rowsKernel } from '../../../sim/machine/lower/htp/rows.js';
import { lower } from '../../../sim/machine/lower/index.js';
import { matrixProduct } from '../../../sim/machine/lower/product.js';
import { tensorOf } from '../../../sim/machine/lower/tensors.js';
import { vectorProduct } from '../../../sim/machine/lower/vector-product.js';
import { ratesOf } from '../../../sim/machine/rates.js';
import { stackByName } from '../../../sim/stacks/registry.js';
import { graphFor } from '../../../src/model/graph-cache.js';
import { precisionFor } from '../../../src/model/precision.js';
import { resolvePreset } from '../../../src/model/presets.js';

const chip = loadProfile('sm8750');
const lladaCpp = stackByName('llada.cpp');

/** A chip and a stack in round numbers, so that what operators become can be worked by hand. */
function contextOf({ tcm = 1 << 20, ...choices }: Partial<typeof lladaCpp> & { tcm?: number } = {}) {
  const profile = { ...chip, npu: { ...chip.npu, matrixTile: 32, vectorThreads: 4, dmaLatency: 0, tcm } };
  const rates = {
    ...ratesOf(profile, false),
    convertElementsPerMs: 10_000,
    /** A thousand of each of four threads. */
    vectorOpsPerMs: 4000,
    directBytesPerMs: 500,
    queuesBytesPerMs: 2000,
    dmaBytesPerMs: 1000,
  };
  const numbers = {
    ...lladaCpp.numbers,
    rowTiles: 1,
    matrixFromRows: 16,
    chunkWeights: 32 * 96,
    attentionKeys: 64,
    attentionRows: 64,
    vectorIpc: 1,
    loneIpc: 1,
    forkMs: 0.25,
    dmaRowBytes: 0,
    vectorMacsPerCycle: 8,
    vectorQ8MacsPerCycle: 4,
  };
  return { profile, rates, stack: { ...lladaCpp, numbers, ...choices } };
}

const WORK = { owner: 'op', rows: 64, inWidth: 96, outWidth: 32, bytesPerWeight: 0.5, packed: true };
const PRODUCT = { ...WORK, inputBytes: 4, outputBytes: 4 };
/** All weights, and 64 rows of 96 and of 32 elements of four bytes. */
const WEIGHTS = 96 * 32 * 0.5;
const ACTIVATIONS = 64 * (96 + 32) * 4;

describe('a graph', () => {
  it('has every tensor that its operators name', () => {
    const shape = { rows: 1, kvSets: [], logitsRows: 1, masked: false };
    const graph = graphFor({ ...resolvePreset('qwen3-0.6b'), layers: 1 }, shape, precisionFor('q4_0'));
    expect(() => tensorOf(graph, 'nothing')).toThrow('graph of qwen3-0.6b has no tensor nothing');
    expect(() => tensorOf(graph, undefined)).toThrow('graph of qwen3-0.6b has no tensor undefined');
  });
});

describe('a product on the matrix unit', () => {
  it('converts the rows of a pass, and fetches weights once for each pass', () => {
    const each = matrixProduct(PRODUCT, contextOf({ weightReuse: 'none' }));
    expect(each.pipelines[0].tiles).toBe(2);
    expect(each.pipelines[0].setup.convertMs).toBeCloseTo((32 * 96) / 10_000, 12);
    expect(each.dmaBytes).toBe(2 * WEIGHTS + ACTIVATIONS);
    const together = matrixProduct(PRODUCT, contextOf({ weightReuse: 'all-tiles' }));
    expect(each.pipelines[0].setup.loadBytes).toBe(32 * 96 * 4);
    expect(together.pipelines[0].setup.loadBytes).toBe(64 * 96 * 4);
    expect(together.pipelines[0].tiles).toBe(1);
    expect(together.pipelines[0].setup.convertMs).toBeCloseTo((64 * 96) / 10_000, 12);
    expect(together.pipelines[0].chunk.loadBytes).toBe(WEIGHTS);
    expect(together.dmaBytes).toBe(WEIGHTS + ACTIVATIONS);
  });

  it('meets all row tiles at once where TCM holds them to the last byte', () => {
    // Activations once; packed and decoded weights twice; results three times.
    const bytes = 64 * 96 * 2 + 2 * WEIGHTS + 2 * 96 * 32 * 2 + 3 * 64 * 32 * 2;
    const of = (tcm: number) => matrixProduct(PRODUCT, contextOf({ weightReuse: 'all-tiles', tcm }));
    expect(of(bytes).tcmPeakBytes).toBe(bytes);
    expect(of(bytes).dmaBytes).toBe(WEIGHTS + ACTIVATIONS);
    expect(of(bytes - 1).dmaBytes).toBe(2 * WEIGHTS + ACTIVATIONS);
  });

  it('decodes weights that are packed, on a stack that decodes', () => {
    const decodes = (dtype: 'q4_0' | 'f16', weightDecode: 'vector' | 'none') => {
      const graph = graphFor(
        { ...resolvePreset('qwen3-0.6b'), layers: 1 },
        { rows: 32, kvSets: [], logitsRows: 1, masked: false },
        precisionFor(dtype),
      );
      const op = graph.ops.find((each) => each.kind === 'matmul' && each.role === 'q');
      if (op === undefined) throw new Error('no q');
      const context = contextOf({ weightDecode, tcm: 8 << 20 });
      return lower(op, graph, context).pipelines[0].chunk.decodeMs > 0;
    };
    expect(decodes('q4_0', 'vector')).toBe(true);
    expect(decodes('f16', 'vector')).toBe(false);
    expect(decodes('q4_0', 'none')).toBe(false);
  });
});

describe("a product in llama.cpp's loops", () => {
  it('brings every element of its results out of a tile, eight instructions for 64 of them', () => {
    const { pipelines } = htpProduct(PRODUCT, contextOf());
    const { chunk, loadsWait } = pipelines[0];
    // 64 rows of 32 columns: 32 registers, of which each of four threads has eight, and a start of the threads.
    expect(chunk.finishMs).toBeCloseTo((8 * 8) / 1000 + 0.25, 12);
    expect(loadsWait).toBe(true);
    // All columns in one chunk.
    expect(pipelines[0].fullChunks).toBe(1);
    expect(pipelines[0].rest).toBeNull();
  });

  it('takes 48 columns at a time on vector threads, and weights of 8 bits at a pace of their own', () => {
    const of = (changes: object) => vectorProduct({ ...PRODUCT, ...changes }, contextOf()).pipelines[0];
    expect(of({}).rest).toBeNull();
    expect(of({ outWidth: 96 }).rest).toBeNull();
    expect(of({ outWidth: 98 }).fullChunks).toBe(2);
    expect(of({ outWidth: 98 }).rest?.loadBytes).toBe(2 * 96 * 0.5);
    const macs = 64 * 32 * 96;
    expect(of({}).chunk.finishMs).toBeCloseTo(macs / 8 / 4000, 9);
    expect(of({ bytesPerWeight: 1.0625 }).chunk.finishMs).toBeCloseTo(macs / 4 / 4000, 9);
  });

  it('leaves the rows behind the last whole tile to vector threads, where the stack does', () => {
    const of = (rows: number, productTail: 'vector' | 'padded') =>
      lowerProduct({ ...PRODUCT, rows }, contextOf({ productTail }));
    const macs = 96 * 32;
    expect(of(64, 'vector').matrixMacs).toBe(64 * macs);
    expect(of(64, 'vector').pipelines).toHaveLength(1);
    expect(of(40, 'vector').matrixMacs).toBe(32 * macs);
    expect(of(40, 'vector').pipelines).toHaveLength(2);
    expect(of(40, 'padded').matrixMacs).toBe(64 * macs);
    // Fewer rows than a tile, and fewer than go to the matrix unit at all.
    for (const rows of [24, 8]) expect(of(rows, 'vector').matrixMacs).toBe(0);
  });

  it('quantizes activations before vector threads fetch weights; a product in stages does not wait', () => {
    const waits = (kernelLoops: 'htp' | 'stages') =>
      vectorProduct(PRODUCT, contextOf({ kernelLoops })).pipelines[0].loadsWait;
    expect(waits('htp')).toBe(true);
    expect(waits('stages')).toBe(false);
  });

  it('finds the angles of a position once for all of its heads', () => {
    const work = { rows: 8, width: 128, heads: 4, inputBytes: 4, outputBytes: 4 };
    const { pipelines } = rowsKernel({ operator: 'ROPE', ...work }, contextOf());
    // Two rows a thread: four registers of 7.5 instructions, 80 for the row, and a quarter of two times 100.
    expect(pipelines[0].rest?.finishMs).toBeCloseTo((2 * (4 * 7.5 + 80 + 200 / 4)) / 1000, 12);
  });
});

describe('attention', () => {
  const work = { owner: 'op', rows: 64, keys: 64, heads: 4, kvHeads: 2, headDim: 64 };
  const bytes = { inputBytes: 4, outputBytes: 4, kvBytes: 2, writesCache: false };

  it('takes as many rows together as TCM holds to the last byte', () => {
    // Two heads of a group. Queries twice, keys and values twice as stored and twice in tiles, scores once, results three times.
    const tcm = 2 * (2 * 64 * 64 * 2) + 4 * (2 * 64 * 64 * 2) + 2 * 64 * 64 * 2 + 3 * (2 * 64 * 64 * 2);
    const of = (size: number) => attentionKernel({ ...work, ...bytes }, contextOf({ tcm: size }));
    const [cache, queries, results] = [2 * 64 * 2 * 64 * 2, 64 * 4 * 64 * 4, 64 * 4 * 64 * 4];
    expect(of(tcm).tcmPeakBytes).toBe(tcm);
    expect(of(tcm).dmaBytes).toBe(cache + queries + results);
    // A byte less: 32 rows at a time, and so the cache twice.
    expect(of(tcm - 1).dmaBytes).toBe(2 * cache + queries + results);
    expect(of(tcm - 1).tcmPeakBytes).toBeLessThan(tcm);
    expect(of(2 * tcm).dmaBytes).toBe(cache + queries + results);
  });

  it('on vector threads is refused where a block of every thread does not fit TCM', () => {
    const small = { ...work, rows: 2, heads: 2, keys: 96, headDim: 32, ...bytes };
    const peak = 4 * (4 * 64 * 64 + 32 * 4 + 32 * 4);
    expect(vectorAttention(small, contextOf({ tcm: peak })).tcmPeakBytes).toBe(peak);
    expect(() => vectorAttention(small, contextOf({ tcm: peak - 1 }))).toThrow(
      /op: 4 threads with two blocks of keys and values each do not fit the on-chip memory \(66559 B\), 1 B too much/,
    );
  });

  it('on vector threads fetches keys, values and mask for each row of each head, and stores behind the last block', () => {
    const small = { ...work, rows: 2, heads: 2, keys: 96, headDim: 32 };
    const kernel = vectorAttention({ ...small, ...bytes }, contextOf());
    const pipeline = kernel.pipelines[1];
    // Four pieces, one a thread. A row of the cache takes 64 bytes, one of the mask two bytes a key.
    expect(kernel.dmaBytes).toBe(4 * (96 * (64 + 64 + 2) + 32 * 4));
    expect(kernel.l2Bytes).toBe(4 * 32 * 4);
    // Two blocks of 64 keys and 64 values each, a row of queries, and its result in F32.
    expect(kernel.tcmPeakBytes).toBe(4 * (4 * 64 * 64 + 32 * 4 + 32 * 4));
    // 32 keys: eight times 26 + 9, 22 more; 71 + 9 for exponentials; 16 times 14 + 10. The block: 71 + 2 * 10 + 9.
    const block = 2 * (8 * 35 + 22 + 71 + 9 + 16 * 24) + 71 + 20 + 9;
    // A row of queries for each thread, by queues.
    expect(pipeline.setup.loadBytes).toBe(4 * 32 * 4);
    expect(pipeline.setup.loadMs).toBeCloseTo((4 * 32 * 4) / 2000, 12);
    expect(pipeline.chunk.finishMs).toBeCloseTo(block / 1000, 12);
    expect(pipeline.rest?.finishMs).toBeCloseTo(block / 2 / 1000 + (4 * 32 * 4) / 500, 12);
  });
});
