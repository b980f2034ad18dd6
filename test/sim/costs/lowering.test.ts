import { describe, it } from 'vitest';
import type { Kernel, LowerContext } from '../../../sim/machine/kernel.js';
import { lowerProduct } from '../../../sim/machine/lower/any-product.js';
import { attentionKernel } from '../../../sim/machine/lower/attention.js';
import type { AttentionWork } from '../../../sim/machine/lower/attention-work.js';
import { attentionBlocks } from '../../../sim/machine/lower/htp/attention-blocks.js';
import { productBlocks } from '../../../sim/machine/lower/htp/product-blocks.js';
import { rowsKernel } from '../../../sim/machine/lower/htp/rows.js';
import { concatKernel, convKernel, keepKernel } from '../../../sim/machine/lower/htp/short-conv.js';
import type { Product } from '../../../sim/machine/lower/product.js';
import { ROW_OPERATORS } from '../../../sim/machine/lower/row-operator.js';
import { streamedKernel } from '../../../sim/machine/lower/streamed.js';
import { vectorProduct } from '../../../sim/machine/lower/vector-product.js';
import { GoldenTable } from '../../support/golden-table.js';
import { contextOf, cutsOf, drawer, orRefused, STACKS } from './made-up.js';

const table = new GoldenTable('lowering');
const MIB = 1 << 20;

/** Rows at and beside the steps of tiles, of `matrixFromRows` and of `overlapFromRows`. */
const ROWS = [1, 2, 3, 6, 7, 31, 32, 33, 34, 63, 64, 65, 96, 97, 130];
const WIDTHS = [32, 47, 48, 49, 96, 100, 128, 200, 256];
/** Bytes of a weight, and whether it is decoded. */
const FORMATS = [
  [0.5625, true],
  [1.0625, true],
  [2, false],
] as const;

function products(seed: number): Readonly<Record<string, Product>> {
  const draw = drawer(seed);
  const of = <T>(list: readonly T[]): T => list[draw(0, list.length - 1)] as T;
  return Object.fromEntries(
    ROWS.map((rows) => {
      const [bytesPerWeight, packed] = of(FORMATS);
      const [inWidth, outWidth] = [of(WIDTHS), of(WIDTHS)];
      const [inputBytes, outputBytes] = [of([2, 4]), of([2, 4])];
      const name = `${rows} rows, ${inWidth} to ${outWidth}, ${bytesPerWeight} B${packed ? ' packed' : ''}`;
      return [
        name,
        { owner: 'op', rows, inWidth, outWidth, bytesPerWeight, packed, inputBytes, outputBytes },
      ];
    }),
  );
}

function each<T>(cases: Readonly<Record<string, T>>, of: (work: T) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(cases).map(([name, work]) => [name, orRefused(() => of(work))]));
}

const heads = (group: number, kvHeads = 2) => ({ heads: group * kvHeads, kvHeads });
const ATTENTION: readonly Omit<AttentionWork, 'owner' | 'writesCache'>[] = [
  { rows: 1, keys: 1, ...heads(1), headDim: 32, inputBytes: 2, outputBytes: 2, kvBytes: 2 },
  { rows: 1, keys: 64, ...heads(4), headDim: 64, inputBytes: 4, outputBytes: 4, kvBytes: 2 },
  { rows: 3, keys: 65, ...heads(1, 3), headDim: 96, inputBytes: 4, outputBytes: 2, kvBytes: 4 },
  { rows: 5, keys: 191, ...heads(2), headDim: 64, inputBytes: 2, outputBytes: 4, kvBytes: 1 },
  { rows: 6, keys: 192, ...heads(3), headDim: 48, inputBytes: 4, outputBytes: 4, kvBytes: 2 },
  { rows: 11, keys: 129, ...heads(6, 1), headDim: 80, inputBytes: 2, outputBytes: 2, kvBytes: 2 },
  { rows: 32, keys: 100, ...heads(1), headDim: 128, inputBytes: 2, outputBytes: 2, kvBytes: 2 },
  { rows: 33, keys: 257, ...heads(4), headDim: 64, inputBytes: 4, outputBytes: 4, kvBytes: 2 },
  { rows: 70, keys: 384, ...heads(5), headDim: 32, inputBytes: 2, outputBytes: 4, kvBytes: 4 },
  { rows: 97, keys: 97, ...heads(2, 3), headDim: 64, inputBytes: 4, outputBytes: 2, kvBytes: 2 },
];
const attentionOf = (work: (typeof ATTENTION)[number], context: LowerContext): Kernel =>
  attentionKernel({ ...work, owner: 'op', writesCache: true }, context);
const named = ({ rows, keys, heads, kvHeads, headDim, kvBytes }: (typeof ATTENTION)[number]): string =>
  `${rows} rows, ${keys} keys, ${heads}/${kvHeads} heads of ${headDim}, ${kvBytes} B`;

describe.each(Object.entries(STACKS))('what operators cost on a made-up chip: %s', (stack, changes) => {
  const at = Object.keys(STACKS).indexOf(stack);

  it('products', () => {
    const context = contextOf(changes);
    table.holds(
      `products ${stack}`,
      each(products(at), (product) => lowerProduct(product, context)),
    );
  });

  it('products in little memory, and of formats at the borders', () => {
    const context = contextOf(changes, { tcm: 70_000 });
    const border = {
      owner: 'op',
      rows: 40,
      inWidth: 96,
      outWidth: 96,
      inputBytes: 2,
      outputBytes: 4,
      packed: true,
    };
    const works = Object.fromEntries(Object.entries(products(at + 20)).filter((_, row) => row % 2 === 0));
    table.holds(`small products ${stack}`, {
      ...each(
        {
          ...works,
          '0.8 B': { ...border, bytesPerWeight: 0.8 },
          '1 B': { ...border, rows: 2, bytesPerWeight: 1 },
        },
        (product) => lowerProduct(product, context),
      ),
    });
  });

  it('products cut for ever less memory', () => {
    const works = Object.fromEntries(Object.entries(products(at)).filter((_, row) => row % 2 === 1));
    const cuts = each(works, (work) => cutsOf((tcm) => lowerProduct(work, contextOf(changes, { tcm })), MIB));
    table.holds(`cuts of products ${stack}`, cuts);
  });

  it('attention', () => {
    const context = contextOf(changes);
    const works = Object.fromEntries(ATTENTION.map((work) => [named(work), work]));
    table.holds(
      `attention ${stack}`,
      each(works, (work) => attentionOf(work, context)),
    );
  });

  it('attention cut for ever less memory', () => {
    const works = Object.fromEntries(ATTENTION.slice(3).map((work) => [named(work), work]));
    const cuts = each(works, (work) => cutsOf((tcm) => attentionOf(work, contextOf(changes, { tcm })), MIB));
    table.holds(`cuts of attention ${stack}`, cuts);
  });

  it('streams', () => {
    const context = contextOf(changes);
    const works = {
      nothing: { opsEach: 3, read: 0, written: 0, elements: 64, macs: 0 },
      'less than a chunk': { opsEach: 3.5, read: 4000, written: 3001, elements: 1000, macs: 0 },
      'a byte more': { opsEach: 3.5, read: 4000, written: 3002, elements: 1000, macs: 700 },
      many: { opsEach: 33, read: 90_000, written: 40_000, elements: 25_000, macs: 100_000 },
    };
    table.holds(
      `streams ${stack}`,
      each(works, (work) => streamedKernel(work, context)),
    );
  });
});

const HEXAGON = STACKS.hexagon ?? {};

describe("what the loops of llama.cpp's Hexagon kernels cost", () => {
  it('products on vector threads whose rows do not fit at once', () => {
    const work = {
      owner: 'op',
      inWidth: 96,
      outWidth: 100,
      bytesPerWeight: 0.5625,
      packed: true,
      inputBytes: 4,
      outputBytes: 4,
    };
    const of = (rows: number) => vectorProduct({ ...work, rows }, contextOf(HEXAGON, { tcm: 13_000 }));
    // Rows of 102 bytes, which get three quarters of it: 95 at once.
    table.holds(
      'vector products',
      each({ '95 rows': 95, '96 rows': 96, '130 rows': 130, '300 rows': 300 }, of),
    );
  });

  it('every operator on rows', () => {
    const context = contextOf(HEXAGON);
    const draw = drawer(11);
    const works = Object.fromEntries(
      ROW_OPERATORS.map((operator) => {
        const [rows, width] = [draw(1, 12), draw(20, 300)];
        return [
          `${operator}, ${rows} rows of ${width}`,
          { operator, rows, width, heads: 3, inputBytes: 4, outputBytes: 2 },
        ];
      }),
    );
    table.holds(
      'rows',
      each(works, (work) => rowsKernel(work, context)),
    );
  });

  it('rows at the borders of threads, registers, blocks and formats', () => {
    const context = contextOf(HEXAGON, { tcm: 40_000 });
    const f32 = { inputBytes: 4, outputBytes: 4 } as const;
    const works = {
      'one row': { operator: 'ADD', rows: 1, width: 64, ...f32 },
      'two rows': { operator: 'ADD', rows: 2, width: 65, ...f32 },
      'as many as threads': { operator: 'MUL', rows: 5, width: 32, ...f32 },
      'one more': { operator: 'MUL', rows: 6, width: 33, ...f32 },
      halves: { operator: 'ADD', rows: 7, width: 65, inputBytes: 2, outputBytes: 2 },
      'halves of another operator': { operator: 'SCALE', rows: 7, width: 65, inputBytes: 2, outputBytes: 2 },
      'a shared row': { operator: 'MUL', rows: 7, width: 65, broadcast: true, ...f32 },
      'a shared gain': { operator: 'RMS_NORM+MUL', rows: 40, width: 96, ...f32 },
      'blocks and a rest': { operator: 'SWIGLU', rows: 101, width: 128, ...f32 },
      'blocks without one': { operator: 'SWIGLU', rows: 60, width: 320, ...f32 },
      'rows wider than memory': { operator: 'ADD', rows: 11, width: 9000, ...f32 },
      'rows apart': { operator: 'ROPE', rows: 91, width: 64, heads: 7, ...f32 },
      'rows apart, one head': { operator: 'ROPE', rows: 40, width: 66, ...f32 },
      'wide rows apart': { operator: 'ROPE', rows: 41, width: 130, heads: 2, ...f32 },
      'a sum': { operator: 'SUM_ROWS', rows: 23, width: 200, ...f32 },
      'gathered by threads': { operator: 'GET_ROWS', rows: 9, width: 2047, ...f32 },
      'gathered by DMA': { operator: 'GET_ROWS', rows: 9, width: 2048, ...f32 },
      'gathered and converted': { operator: 'GET_ROWS', rows: 9, width: 2048, inputBytes: 4, outputBytes: 2 },
      'another wide one': { operator: 'SET_ROWS', rows: 9, width: 2048, ...f32 },
      'a mask': { operator: 'SOFT_MAX', rows: 13, width: 70, maskBytes: 910, ...f32 },
      'no operand': { operator: 'FILL', rows: 13, width: 70, ...f32 },
    } as const;
    table.holds(
      'borders of rows',
      each(works, (work) => rowsKernel(work, context)),
    );
  });

  it('short convolutions', () => {
    const works = Object.fromEntries(
      [
        [1, 4, 1],
        [31, 3, 1],
        [32, 4, 1],
        [33, 4, 2],
        [160, 3, 5],
        [161, 4, 31],
        [192, 2, 32],
        [300, 4, 33],
        [330, 3, 70],
      ].map(([channels = 0, taps = 0, rows = 0]) => [
        `${channels} channels, ${taps} taps, ${rows} rows`,
        { channels, taps, rows },
      ]),
    );
    const context = contextOf(HEXAGON, { tcm: 60_000 });
    for (const [name, kernel] of Object.entries({ concatKernel, convKernel, keepKernel }))
      table.holds(
        name,
        each(works, (work) => kernel(work, context)),
      );
    table.holds(
      'convolutions cut for ever less memory',
      each(works, (work) =>
        [50_000, 20_000, 9000, 5000, 3000, 2000, 1000, 500].map((tcm) =>
          orRefused(() => convKernel(work, contextOf(HEXAGON, { tcm })).pipelines[0]?.fullChunks),
        ),
      ),
    );
  });

  it('of cuts that cost the same the largest, of equal ones the first', () => {
    const heads = { rows: 100, keys: 1000, group: 2, headDim: 64 };
    const product = { owner: 'op', rows: 400, inWidth: 64, outWidth: 320, bytesPerWeight: 0.5625 };
    const attention = [
      [heads, 600_000],
      [heads, 680_000],
      [{ ...heads, rows: 130, keys: 1500 }, 1_000_000],
      [{ ...heads, rows: 130, group: 1 }, 220_000],
    ] as const;
    const products = [
      [product, true, 280_000],
      [product, false, 160_000],
      [{ ...product, rows: 100, outWidth: 128 }, true, 70_000],
      [{ ...product, rows: 100, outWidth: 128 }, false, 45_000],
    ] as const;
    table.holds('equal cuts', {
      attention: attention.map(([shape, bytes]) => attentionBlocks(shape, bytes, 4)),
      products: products.map(([shape, overlaps, bytes]) => productBlocks(shape, overlaps, bytes)),
    });
  });

  it('the cut of every product: at the byte where it changes', () => {
    const shapes = Object.fromEntries(
      [
        [31, 96, 96, 0.5625],
        [33, 64, 200, 0.5625],
        [65, 160, 320, 2],
        [130, 96, 512, 1.0625],
        [400, 32, 64, 0.5],
      ].flatMap(([rows = 0, inWidth = 0, outWidth = 0, bytesPerWeight = 0]) =>
        [true, false].map((overlaps) => [
          `${rows} rows, ${inWidth} to ${outWidth}, ${bytesPerWeight} B${overlaps ? ', overlapping' : ''}`,
          { shape: { owner: 'op', rows, inWidth, outWidth, bytesPerWeight }, overlaps },
        ]),
      ),
    );
    const cuts = each(shapes, ({ shape, overlaps }) =>
      rungs(
        (bytes) => productBlocks(shape, overlaps, bytes),
        (cut) => `${cut.rows}x${cut.columns} ${cut.tcmBytes}`,
      ),
    );
    table.holds('blocks of products', cuts);
  });

  it('the cut of every attention: at the byte where it changes', () => {
    const shapes = Object.fromEntries(
      [
        [1, 64, 1, 64, 5],
        [40, 191, 4, 64, 5],
        [40, 192, 4, 64, 5],
        [40, 192, 4, 64, 1],
        [40, 400, 3, 96, 2],
        [7, 500, 8, 128, 6],
        [130, 320, 1, 80, 4],
      ].map(([rows = 0, keys = 0, group = 0, headDim = 0, threads = 0]) => [
        `${rows} rows, ${keys} keys, ${group} heads of ${headDim}, ${threads} threads`,
        { shape: { rows, keys, group, headDim }, threads },
      ]),
    );
    const cuts = each(shapes, ({ shape, threads }) =>
      rungs(
        (bytes) => attentionBlocks(shape, bytes, threads),
        (cut) => `${cut.queryRows}x${cut.keys} ${cut.tcmBytes}`,
      ),
    );
    table.holds('blocks of attention', cuts);
  });
});

/** The cuts from all the memory they want down to none, and the refusal. */
function rungs<T extends { readonly tcmBytes: number }>(
  cut: (bytes: number) => T,
  shown: (cut: T) => string,
): string[] {
  const found: string[] = [];
  for (let bytes = 64 * MIB; found.length < 12; ) {
    const one = orRefused(() => cut(bytes));
    if (typeof one === 'string') return [...found, one];
    found.push(shown(one));
    // It fits exactly what it takes.
    const again = orRefused(() => shown(cut(one.tcmBytes)));
    if (again !== shown(one)) found.push(`with as much as it takes: ${again}`);
    bytes = one.tcmBytes - 1;
  }
  return found;
}
