import { UsageError } from '../../src/errors.js';
import { WEIGHT_DTYPES, type WeightDType } from '../../src/model/formats/blocks/index.js';
import { isPresetName, resolvePreset } from '../../src/model/presets.js';
import { ROW_OPERATORS, type RowOperator } from '../machine/lower/row-operator.js';
import { ofModel } from './of-model.js';
import type { KernelSpec } from './spec.js';

/** What a table says of a row outside the operator's name. */
export interface KernelHints {
  /** Rows, where the name has none. */
  readonly rows?: number;
  /** Cached positions, where the name has none. */
  readonly keys?: number;
  /** Preset, where the name is that of a layer's part (`gate+up`). */
  readonly model?: string;
  /** Format of weights. @defaultValue 'q4_0' */
  readonly weights?: WeightDType;
}

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

/** The words and numbers of a name. */
class Said {
  readonly words: string;
  private readonly numbers = new Map<string, number>();

  constructor(
    readonly text: string,
    readonly hints: KernelHints,
  ) {
    this.words = text.toUpperCase();
    for (const [, name, value] of text.matchAll(/\b([a-zA-Z_]+)\s?[~=:]?\s?(\d+)(?![\dx.])/g)) {
      if (!this.numbers.has(name.toLowerCase())) this.numbers.set(name.toLowerCase(), Number(value));
    }
  }

  has(pattern: RegExp): boolean {
    return pattern.test(this.words);
  }

  /** The first of these names that has a number. */
  number(...names: readonly string[]): number | undefined {
    for (const name of names) {
      const value = this.numbers.get(name);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  /** @throws UsageError naming what is missing */
  needed(what: string, value: number | undefined): number {
    if (value === undefined || value < 1) throw new UsageError(`"${this.text}": ${what} is not stated`);
    return value;
  }

  get rows(): number | undefined {
    const worded = /\b(\d+) ROWS?\b/.exec(this.words);
    return this.number('r', 'rows', 'nq') ?? (worded === null ? this.hints.rows : Number(worded[1]));
  }

  get weights(): WeightDType {
    const named = WEIGHT_DTYPES.find((dtype) => new RegExp(`\\b${dtype}\\b`, 'i').test(this.text));
    return named ?? this.hints.weights ?? 'q4_0';
  }

  /** `[2048, 35]`, `2048x35`, `64x2048x8192`. */
  get extents(): readonly number[] {
    const found = /\b(\d+)((?:\s*[x*,\u00d7]\s*\d+)+)\b/i.exec(this.text);
    if (found === null) return [];
    return [
      Number(found[1]),
      ...found[2]
        .split(/[x*,\u00d7]/i)
        .slice(1)
        .map(Number),
    ];
  }

  get model(): string | undefined {
    const word = this.text.split(/[\s,]+/).find((part) => isPresetName(part.toLowerCase()));
    return word?.toLowerCase() ?? this.hints.model;
  }
}

function attention(said: Said): KernelSpec | null {
  const named = said.has(/FLASH_?ATTN|\bATTENTION\b|\bFA\b/);
  const keys = said.number('nkv', 'keys', 'context', 'ctx') ?? said.hints.keys;
  const shaped = said.number('d', 'hd') !== undefined && said.number('nkv') !== undefined;
  if (!named && !shaped) return null;
  if (said.number('d', 'hd', 'head_dim') === undefined && said.model !== undefined) return modelPart(said);
  const heads = said.needed('the number of heads (h32)', said.number('h', 'heads', 'nh'));
  return {
    kind: 'attention',
    rows: said.needed('the number of query rows (nq1)', said.number('nq') ?? said.rows),
    keys: said.needed('the number of cached positions (nkv256)', keys),
    heads,
    kvHeads: said.number('kv', 'hkv', 'kvheads') ?? heads,
    headDim: said.needed('the size of a head (d64)', said.number('d', 'hd', 'head_dim')),
  };
}

/** Operators of the backend whose loops nobody has counted here: a product or a row operator of a like name would be a wrong time. */
const UNCOUNTED =
  /\b(GATED_DELTA_NET|SOLVE_TRI|TRI|DIAG|ARGSORT|TOP_K|IM2COL|CUMSUM|SOFTPLUS|ADD_ID|SSM_SCAN|RWKV_WKV\d?|CONV_\dD|POOL_\dD|CROSS_ENTROPY_LOSS|TIMESTEP_EMBEDDING|UPSCALE|GROUP_NORM|ALLREDUCE)\b/;

/** @throws UsageError naming the operator */
function refuseUncounted(said: Said): void {
  const found = UNCOUNTED.exec(said.words)?.[1];
  if (found !== undefined)
    throw new UsageError(
      `operator ${found} is not modelled: its loops were not counted in the backend's source`,
    );
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

const PRODUCT = /MUL_?MAT|GEMM|GEMV|MATMUL|GATE|\bUP\b|DOWN|Q\+K|QKV|\bHEAD\b/;

/** Widths in and out, whatever the notation; null where the name has none. */
function widths(said: Said): { in: number; outs: readonly number[]; rows: number | undefined } | null {
  const arrow = /\b(\d+)\s*(?:->|\u2192)\s*\(?(\d+(?:\s*[,+]\s*\d+)*)\)?/.exec(said.text);
  if (arrow !== null) {
    const outs = arrow[2].split(/[,+]/).map(Number);
    return { in: Number(arrow[1]), outs, rows: said.rows ?? said.number('n') };
  }
  // BLAS: upper case, rows first.
  const blas = /\bM\s?[~=]?\s?(\d+),?\s+K\s?=?\s?(\d+),?\s+N\s?=?\s?(\d+)/.exec(said.text);
  if (blas !== null) return { rows: Number(blas[1]), in: Number(blas[2]), outs: [Number(blas[3])] };
  const several = /\bm(\d+(?:\+\d+)+)\b/.exec(said.text);
  const m = several === null ? said.number('m') : undefined;
  const k = said.number('k');
  if (k !== undefined && (m !== undefined || several !== null)) {
    const outs = several === null ? [m as number] : several[1].split('+').map(Number);
    return { in: k, outs, rows: said.number('n') ?? said.rows };
  }
  const extents = said.extents;
  if (extents.length === 3) return { rows: extents[0], in: extents[1], outs: [extents[2]] };
  // A weight as ggml shows it: inputs first.
  if (extents.length === 2 && said.has(PRODUCT))
    return { rows: said.number('n') ?? said.rows, in: extents[0], outs: [extents[1]] };
  return null;
}

/** Products that a name fuses: gate and up are two of one shape. */
function fused(said: Said, outs: readonly number[]): readonly number[] {
  if (outs.length > 1) return outs;
  const twice = said.has(/GATE\s*[+_&]\s*UP|\bTWICE\b|\b2X\b/);
  const times = (said.words.match(/MUL_MAT(?!_)/g) ?? []).length;
  const count = twice ? 2 : said.has(/Q\s*\+\s*K\s*\+\s*V|\bQKV\b/) ? 3 : Math.max(1, times);
  return new Array<number>(count).fill(outs[0]);
}

function product(said: Said): KernelSpec | null {
  const found = widths(said);
  if (found === null) return null;
  if (said.has(/SWIGLU|RMS_NORM|ROPE|SET_ROWS|GET_ROWS|SOFT_?MAX/) && !said.has(PRODUCT)) return null;
  return {
    kind: 'product',
    rows: said.needed('the number of rows (n1)', found.rows ?? said.hints.rows),
    inWidth: said.needed('the input width (k2048)', found.in),
    outWidths: fused(said, found.outs),
    weights: said.weights,
    adds: said.has(/\+\s*ADD\b/),
  };
}

function routed(said: Said): KernelSpec | null {
  if (!said.has(/MUL_MAT_ID/)) return null;
  const found = widths(said);
  if (found === null) throw new UsageError(`"${said.text}": say m, k and n of the routed product`);
  const experts = said.needed('the number of experts (e32)', said.number('e', 'experts', 'nexp'));
  return {
    kind: 'routed-product',
    rows: said.needed('the number of rows (n1)', found.rows ?? said.hints.rows),
    inWidth: found.in,
    outWidth: found.outs[0],
    weights: said.weights,
    experts,
    expertsPerToken: said.number('top', 'used', 'topk', 'u') ?? 1,
  };
}

/** Names that mean an operator of the list, longest first so that `RMS_NORM+MUL` is not `RMS_NORM`. */
const ALIASES: readonly (readonly [RegExp, RowOperator])[] = [
  [/RMS_?NORM\s*\+\s*MUL/, 'RMS_NORM+MUL'],
  [/RMS_?NORM/, 'RMS_NORM'],
  [/\bL2_NORM\b/, 'L2_NORM'],
  [/LAYER_?NORM|\bNORM\b/, 'NORM'],
  [/SWIGLU_OAI/, 'SWIGLU_OAI'],
  [/SWIGLU|SILU\s*\+\s*MUL/, 'SWIGLU'],
  [/GEGLU/, 'GEGLU'],
  [/GELU/, 'GELU'],
  [/SILU/, 'SILU'],
  [/SOFT_?MAX/, 'SOFT_MAX'],
  [/SUM_ROWS/, 'SUM_ROWS'],
  [/SET_ROWS/, 'SET_ROWS'],
  [/GET_ROWS/, 'GET_ROWS'],
  [/ROPE/, 'ROPE'],
  [/\bCPY\b|\bCOPY\b|\bCONT\b|\bDUP\b/, 'CPY'],
  [/\bSCALE\b/, 'SCALE'],
  [/\bADD\b|RESIDUAL/, 'ADD'],
  [/\bMUL\b/, 'MUL'],
  [/\bSUB\b/, 'SUB'],
  [/\bDIV\b/, 'DIV'],
  [/\bSQRT\b/, 'SQRT'],
  [/\bSQR\b/, 'SQR'],
  [/\bSIGMOID\b/, 'SIGMOID'],
  [/\bTANH\b/, 'TANH'],
  [/\bEXP\b/, 'EXP'],
  [/\bNEG\b/, 'NEG'],
  [/\bCLAMP\b/, 'CLAMP'],
  [/\bFILL\b/, 'FILL'],
  [/\bREPEAT\b/, 'REPEAT'],
  [/\bPAD\b/, 'PAD'],
];

function rowsOperator(said: Said): KernelSpec | null {
  const operator = ALIASES.find(([pattern]) => pattern.test(said.words))?.[1];
  if (operator === undefined) return null;
  const { extents } = said;
  if (extents.length === 3) {
    // A tensor as ggml shows it: a head, heads, positions.
    const [width, heads, positions] = extents;
    return { kind: 'rows', operator, rows: heads * positions, width, heads };
  }
  const rows = said.rows ?? extents[1];
  const headDim = said.number('d', 'hd', 'head_dim');
  if (headDim !== undefined) {
    // Rows of a head each.
    const heads = said.number('h', 'heads', 'nh') ?? 1;
    return {
      kind: 'rows',
      operator,
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
    kind: 'rows',
    operator,
    rows: said.needed('the number of rows (r1)', rows),
    width: said.needed('the width of a row (n2048)', width),
  };
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
