import { UsageError } from '../../src/errors.js';
import { resolvePreset } from '../../src/model/presets.js';
import { ROW_OPERATORS, type RowOperator } from '../machine/lower/row-operator.js';
import { ALIASES } from './aliases.js';
import { dumpedProduct, folded, listOf } from './dumped.js';
import { elementsOf, maskOf } from './elements.js';
import { ofModel } from './of-model.js';
import { type KernelHints, Said } from './said.js';
import type { KernelSpec, RowsSpec } from './spec.js';
import { refuseUncounted } from './uncounted.js';

/**
 * An operator from its name in a trace or a table: `MUL_MAT+ADD m2048 k8192 n2` (ggml: m outputs, k inputs, n rows),
 * `64x2048x8192` and `M~64 K2048 N3584` (BLAS: rows, inputs, outputs), `FLASH_ATTN_EXT d64 h32 kv8 nq35 nkv256`,
 * `SWIGLU n8192 r35`, `ROPE d64 h32 r1`, `gate+up 2048->8192 r1`, or a part of a layer of a named model.
 * @throws UsageError that says which number is missing, or that the operator is not known
 */
export function parseKernel(text: string, hints: KernelHints = {}): KernelSpec {
  const said = new Said(text, hints);
  refuseUncounted(said);
  const spec =
    attention(said) ??
    convolution(said) ??
    routed(said) ??
    product(said) ??
    rowsOperator(said) ??
    modelPart(said);
  if (spec === null) {
    throw new UsageError(
      `no operator in "${text}": say e.g. "MUL_MAT m2048 k8192 n2", "FLASH_ATTN_EXT d64 h32 kv8 nq1 nkv256", "SWIGLU n8192 r1"`,
    );
  }
  return spec;
}

function attention(said: Said): KernelSpec | null {
  const named = said.has(/FLASH_?ATTN|FLASH ATTENTION|\bATTENTION\b|\bFA\b/);
  if (named && said.has(/\bKV[ =:]*I?Q\d_|TYPE_(KV|K|V)\s*=\s*I?Q\d|\bI?Q\d_\w+ KV\b/))
    throw new UsageError(`"${said.text}": attention over quantised keys and values is not modelled`);
  if (named && said.has(/TYPE_(KV|K|V)\s*=\s*F32/))
    throw new UsageError(`"${said.text}": attention over F32 keys and values is not modelled`);
  if (said.number('hsk') !== undefined) return testedAttention(said);
  const tensors = named ? attentionOf(said) : null;
  if (tensors !== null) return tensors;
  const apart = said.number('nkvh', 'kvh', 'n_kv_heads', 'kv_heads', 'n_head_kv', 'hkv', 'kvheads');
  const keys =
    said.number('nkv', 'keys', 'context', 'ctx') ??
    (apart === undefined ? undefined : said.number('kv')) ??
    said.hints.keys;
  const shaped = said.number('d', 'hd') !== undefined && said.number('nkv') !== undefined;
  if (!named && !shaped) return null;
  if (said.number('d', 'hd', 'head_dim') === undefined && said.model !== undefined) return modelPart(said);
  const heads = said.needed(
    'the number of heads (h32)',
    said.number('h', 'heads', 'nh', 'n_heads', 'n_head', 'nqh'),
  );
  return {
    kind: 'attention',
    rows: said.needed('the number of query rows (nq1)', said.number('nq', 'q', 'qlen', 'n_q') ?? said.rows),
    keys: said.needed('the number of cached positions (nkv256)', keys),
    heads,
    kvHeads: apart ?? said.number('kv') ?? heads,
    headDim: said.needed('the size of a head (d64)', said.number('d', 'hd', 'head_dim')),
  };
}

/** `q=[128,512,32] k=[128,2048,8]`, as ggml shows tensors; `32 heads, 8 kv heads, head dim 128, q 512, kv 512` in words. */
function attentionOf(said: Said): KernelSpec | null {
  const [q, k] = [listOf(said.text, 'q'), listOf(said.text, 'k')];
  if (q !== null && k !== null && q.length > 2 && k.length > 2)
    return { kind: 'attention', rows: q[1], keys: k[1], heads: q[2], kvHeads: k[2], headDim: q[0] };
  const counted = (what: string): number | undefined => {
    const found = new RegExp(`\\b(\\d+) ${what}`).exec(said.words)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const kvHeads = counted('(?:KV|KEY)[ _-]?HEADS?\\b');
  const heads = counted('(?:QUERY |Q |ATTENTION )?HEADS?\\b(?! DIM)');
  if (kvHeads === undefined || heads === undefined) return null;
  return {
    kind: 'attention',
    rows: said.needed('the number of query rows (nq1)', said.number('nq', 'q', 'qlen') ?? said.rows),
    keys: said.needed(
      'the number of cached positions (nkv256)',
      said.number('nkv', 'keys', 'ctx', 'context', 'kv') ?? said.hints.keys,
    ),
    heads,
    kvHeads,
    headDim: said.needed('the size of a head (d64)', said.number('d', 'hd', 'head_dim', 'dim')),
  };
}

/** In the words of test-backend-ops: `hsk` a head, `nh` heads of keys, `nr23` or `nr2` times as many of queries, `nb` rows. */
function testedAttention(said: Said): KernelSpec {
  const [repeats, batch] = listOf(said.text, 'nr23') ?? [said.number('nr2') ?? 1, 1];
  if (batch > 1) throw new UsageError(`"${said.text}": attention of ${batch} sequences is not modelled`);
  if ((said.number('hsv') ?? said.number('hsk')) !== said.number('hsk'))
    throw new UsageError(`"${said.text}": values of another width than keys are not modelled`);
  const kvHeads = said.needed('the number of heads (nh)', said.number('nh'));
  return {
    kind: 'attention',
    rows: said.needed('the number of query rows (nb)', said.number('nb')),
    keys: said.needed('the number of cached positions (kv)', said.number('kv')),
    heads: kvHeads * repeats,
    kvHeads,
    headDim: said.needed('the size of a head (hsk)', said.number('hsk')),
  };
}

/** Taps where a name has none: Mamba's and Qwen3.5's; LFM2 has 3. */
const USUAL_TAPS = 4;

/** `SSM_CONV n2048 k3 r1`: channels, taps, positions. `CONCAT` is the one before it, which puts the state of k - 1 positions first. */
function convolution(said: Said): KernelSpec | null {
  const kind = said.has(/\bSSM_CONV\b|SHORT_?CONV/) ? 'conv' : said.has(/\bCONCAT\b/) ? 'concat' : null;
  if (kind === null) return null;
  const { extents } = said;
  return {
    kind,
    channels: said.needed(
      'the number of channels (n2048)',
      said.number('n', 'm', 'c', 'channels', 'width') ?? extents[1],
    ),
    taps: said.number('k', 'taps', 'dconv') ?? USUAL_TAPS,
    rows: said.needed(
      'the number of positions (r1)',
      said.rows ?? (kind === 'conv' ? extents[2] : undefined),
    ),
  };
}

const PRODUCT = /MUL_?MAT|MUL_M[MV]_|FULLY_?CONNECTED|GEMM|GEMV|MATMUL|GATE|\bUP\b|DOWN|Q\+K|QKV|\bHEAD\b/;

/** Widths in and out, whatever the notation; null where the name has none. */
function widths(said: Said): { in: number; outs: readonly number[]; rows: number | undefined } | null {
  const dump = dumpedProduct(said.text);
  if (dump !== null) {
    const { weight, input } = dump;
    if (weight[0] !== input[0])
      throw new UsageError(`"${said.text}": rows of ${weight[0]} numbers do not meet rows of ${input[0]}`);
    if (weight.slice(2).some((extent) => extent > 1) && !said.has(/MUL_MAT_ID/)) refuseBatch(said);
    return { in: weight[0], outs: [weight[1]], rows: input.slice(1).reduce((all, each) => all * each, 1) };
  }
  const batch = [...(listOf(said.text, 'bs') ?? []), ...(listOf(said.text, 'nr') ?? [])];
  if (batch.some((extent) => extent > 1) && said.has(/MUL_MAT/)) refuseBatch(said);
  const arrow = /\b(\d+)\s*(?:->|\u2192)\s*\(?(\d+(?:\s*[,+]\s*\d+(?!\d*\s*(?:rows|tokens)))*)\)?/.exec(
    said.text,
  );
  if (arrow !== null) {
    const outs = arrow[2].split(/[,+]/).map(Number);
    return { in: Number(arrow[1]), outs, rows: said.rows ?? said.number('n') };
  }
  const matrices = /\b(\d+)\s*x\s*(\d+)\s*@\s*(\d+)\s*x\s*(\d+)\b/i.exec(said.text)?.slice(1).map(Number);
  if (matrices !== undefined && matrices[1] === matrices[2])
    return { rows: matrices[0], in: matrices[1], outs: [matrices[3]] };
  const dims = ['ne00', 'ne01', 'ne1'].map(
    (name) => new RegExp(`\\b${name}1?\\s*=\\s*(\\d+)`).exec(said.text)?.[1],
  );
  if (dims.every((each) => each !== undefined))
    return { in: Number(dims[0]), outs: [Number(dims[1])], rows: Number(dims[2]) };
  // BLAS: upper case, M rows, K inputs, N outputs, in any order; `MUL_MAT` is ggml's, whose m are outputs. One row of a GEMV.
  const cubic = /\bM\s?=\s?[NK]\s?=\s?[NK]\s?=\s?(\d+)/.exec(said.text)?.[1];
  const blas = ['M', 'K', 'N'].map(
    (name) => cubic ?? new RegExp(`\\b${name}\\s?[~=:]?\\s?(\\d+)`).exec(said.text)?.[1],
  );
  if (blas[0] === undefined && said.has(/GEMV/)) blas[0] = '1';
  if (blas.every((each) => each !== undefined) && !said.has(/MUL_MAT/)) {
    const [rows, width, out] = blas.map(Number);
    return { rows, in: width, outs: [out] };
  }
  const several = /\bm(\d+(?:\+\d+)+)\b/.exec(said.text);
  const m = several === null ? said.number('m') : undefined;
  const k = said.number('k');
  if (k !== undefined && (m !== undefined || several !== null)) {
    const outs = several === null ? [m as number] : several[1].split('+').map(Number);
    return { in: k, outs, rows: said.number('n') ?? said.rows };
  }
  const cube = /\b(\d+)\^3(?!\d)/.exec(said.text)?.[1];
  if (cube !== undefined) return { rows: Number(cube), in: Number(cube), outs: [Number(cube)] };
  const { extents } = said;
  // Rows first or rows last: no weight of a language model is narrower than the rows it meets.
  if (extents.length === 3)
    return {
      rows: Math.min(extents[0], extents[2]),
      in: extents[1],
      outs: [Math.max(extents[0], extents[2])],
    };
  // A weight as ggml shows it: inputs first.
  if (extents.length === 2 && said.has(PRODUCT))
    return { rows: said.number('n') ?? said.rows, in: extents[0], outs: [extents[1]] };
  return null;
}

function refuseBatch(said: Said): never {
  throw new UsageError(`"${said.text}": products of a batch of matrices are not modelled`);
}

/** Products that a name fuses: gate and up are two of one shape. */
function fused(said: Said, outs: readonly number[]): readonly number[] {
  if (outs.length > 1) return outs;
  const twice = said.has(/GATE\s*[+_&]\s*UP|\bTWICE\b|\b2X\b/);
  const times = (said.words.match(/MUL_MAT(?!_)/g) ?? []).length;
  // One width of a fused QKV is that of all three.
  const count = twice ? 2 : said.has(/Q\s*\+\s*K\s*\+\s*V/) ? 3 : Math.max(1, times);
  return new Array<number>(count).fill(outs[0]);
}

function product(said: Said): KernelSpec | null {
  if (!said.has(PRODUCT) && ALIASES.some(([pattern]) => said.has(pattern))) return null;
  const found = widths(said);
  if (found === null) return null;
  return {
    kind: 'product',
    rows: said.needed('the number of rows (n1)', found.rows ?? said.hints.rows),
    inWidth: said.needed('the input width (k2048)', found.in),
    outWidths: fused(said, found.outs),
    weights: said.weights,
    adds: said.has(/\+\s*ADD\b/),
    ...inputOf(said),
  };
}

/** `type_b=f16`, `q4_0 x f16`: rows that are no F32. */
function inputOf(said: Said): { readonly input?: 'f16' } {
  return said.has(/TYPE_B\s*=\s*F16|[\s\]]X\s+F16/) ? { input: 'f16' } : {};
}

function routed(said: Said): KernelSpec | null {
  if (!said.has(/MUL_MAT_ID/)) return null;
  const found = widths(said);
  if (found === null) throw new UsageError(`"${said.text}": say m, k and n of the routed product`);
  const dump = dumpedProduct(said.text);
  const experts = said.needed(
    'the number of experts (e32)',
    said.number('e', 'experts', 'nexp', 'n_mats', 'n_expert', 'n_experts') ?? dump?.weight[2],
  );
  const used =
    said.number('top', 'used', 'topk', 'u', 'n_used', 'n_expert_used', 'k_experts') ?? dump?.result?.[1];
  return {
    kind: 'routed-product',
    rows: said.needed(
      'the number of rows (n1)',
      dump === null ? (found.rows ?? said.hints.rows) : (dump.result?.[2] ?? 1),
    ),
    inWidth: found.in,
    outWidth: found.outs[0],
    weights: said.weights,
    experts,
    expertsPerToken: said.needed('how many experts a token meets (top4)', used),
  };
}

function rowsOperator(said: Said): KernelSpec | null {
  const operator = ALIASES.find(([pattern]) => pattern.test(said.words))?.[1];
  if (operator === undefined) return null;
  const shape = padded(said, operator, rowsOf(said, operator));
  const mask = maskOf(said, operator, shape);
  return {
    kind: 'rows',
    operator,
    ...shape,
    ...elementsOf(said, operator),
    ...(mask === undefined ? {} : { mask }),
  };
}

/** Runtimes of graphs print a batch of 1 first and rows last: `1x32x128x4096`. */
function innermostFirst(extents: readonly number[]): readonly number[] {
  return extents.length > 2 && extents[0] === 1 ? [...extents].reverse() : extents;
}

type RowsShape = Pick<RowsSpec, 'rows' | 'width' | 'heads'>;

/** The result of PAD, in the words of test-backend-ops. */
function padded(said: Said, operator: RowOperator, { rows, width, ...rest }: RowsShape): RowsShape {
  const by = (at: number): number => Number(new RegExp(`\\bpad_${at}=(\\d+)`).exec(said.text)?.[1] ?? 0);
  return operator === 'PAD'
    ? { rows: rows + by(1), width: width + by(0), ...rest }
    : { rows, width, ...rest };
}

/** Rows and width of an operator on rows, whatever the notation. */
function rowsOf(said: Said, operator: RowOperator): RowsShape {
  const extents = folded(innermostFirst(said.extents));
  const moved = said.rows !== undefined && (operator === 'SET_ROWS' || operator === 'GET_ROWS');
  if (extents.length === 3 && !moved) {
    // A tensor as ggml shows it: a head, heads, positions.
    const [width, heads, positions] = extents;
    return { rows: heads * positions * repeats(said, 1) * batch(said, operator), width, heads };
  }
  const rows = said.rows ?? (extents[1] === undefined ? undefined : extents[1] * repeats(said, 1));
  const headDim = said.number('d', 'hd', 'head_dim');
  if (headDim !== undefined) {
    // Rows of a head each.
    const heads = said.number('h', 'heads', 'nh') ?? 1;
    return {
      rows: said.needed('the number of rows (r1)', rows) * heads,
      width: headDim,
      heads,
    };
  }
  // `SWIGLU 8192`: the only number is the width.
  const alone = /^\D*\b(\d+)\D*$/.exec(said.text)?.[1];
  const width =
    said.number('n', 'm', 'w', 'width', 'ne') ??
    extents[0] ??
    (alone === undefined ? undefined : Number(alone));
  return {
    rows: said.needed('the number of rows (r1)', rows) * batch(said, operator),
    width: said.needed('the width of a row (n2048)', width) / halves(said, operator),
  };
}

/**
 * Rows for each that the extents show, in the words of test-backend-ops: the batch of GET_ROWS (`be1`, `be2`), what a row is
 * written to of SET_ROWS (`ne`), and the heads of both SET_ROWS and SOFT_MAX (`nr23`).
 */
function batch(said: Said, operator: RowOperator): number {
  const product = (all: readonly number[]): number => all.reduce((so, each) => so * each, 1);
  const of = (name: string): number => Number(new RegExp(`\\b${name}=(\\d+)`).exec(said.text)?.[1] ?? 1);
  if (operator === 'GET_ROWS') return of('be1') * of('be2');
  const heads = product(listOf(said.text, 'nr23') ?? []);
  if (operator === 'SOFT_MAX') return heads;
  if (operator === 'SET_ROWS') return heads * product((listOf(said.text, 'ne') ?? []).slice(2));
  return 1;
}

/** Times that `REPEAT` sets its operand side by side from a dimension on: `nr=[1,8,1,1]`. */
function repeats(said: Said, from: number): number {
  const times = said.has(/\bREPEAT\b/) ? listOf(said.text, 'nr') : null;
  return times === null ? 1 : times.slice(from).reduce((all, each) => all * each, 1);
}

/** test-backend-ops shows the operand of a gate, in which both halves of a row lie, unless it is split. */
function halves(said: Said, operator: RowOperator): number {
  const together = /GLU/.test(operator) && operator !== 'SWIGLU_OAI' && !said.has(/SPLIT/);
  return together && listOf(said.text, 'ne_a') !== null ? 2 : 1;
}

/** `gate+up` and the like have the shapes of a named model's first layer. */
function modelPart(said: Said): KernelSpec | null {
  const { model } = said;
  if (model === undefined) return null;
  const rows = said.needed('the number of rows (n1)', said.rows ?? said.number('n'));
  if (said.has(/\bMEAN\b|\bAVERAGE\b|PRODUCTS|MUL_?MAT/)) {
    return { kind: 'layer-products', model, rows, weights: said.weights };
  }
  const config = resolvePreset(model);
  return ofModel(said.words, config, rows, said.number('nkv', 'keys') ?? said.hints.keys, said.weights);
}

/** Operators by name, for help texts. */
export const KERNEL_NAMES = [
  'MUL_MAT',
  'MUL_MAT_ID',
  'FLASH_ATTN_EXT',
  'SSM_CONV',
  'CONCAT',
  ...ROW_OPERATORS,
] as const;
