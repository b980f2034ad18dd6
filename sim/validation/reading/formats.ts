import { QUANTS, type Quant } from '../../../src/model/precision.js';
import type { QuantRecipe } from '../../../src/model/quant-recipes.js';
import type { PublishedRow } from '../published.js';
import { NotModelled } from './refusal.js';

/** A weight format as a table names it. */
export interface FormatReading {
  readonly quant: Quant;
  /** Of the head, where the row names another format than for the body. */
  readonly headQuant: Quant;
  /** Bytes of a weight over those of the format that is timed. */
  readonly bytesScale: readonly [number, number];
  readonly note: string | null;
}

/**
 * The mixture that a file of llama.cpp is under a name (Q4_0: the head in Q6_K); null for a name of no recipe, or for `--pure`.
 */
export function recipeOf(text: string): QuantRecipe | null {
  if (/pure/i.test(text)) return null;
  const names: readonly (readonly [RegExp, QuantRecipe])[] = [
    [/imatrix|bartowski|unsloth/i, 'q4_0-imatrix'],
    [/q4_0(?!_)/i, 'q4_0-quantize'],
    [/q4_1/i, 'q4_1-quantize'],
    [/q4_k_s/i, 'q4_k_s'],
    [/q4_k|k-quant/i, 'q4_k_m'],
    [/q5_k/i, 'q5_k_m'],
    [/q6_k/i, 'q6_k'],
    [/iq4_nl/i, 'iq4_nl'],
    [/iq4_xs/i, 'iq4_xs'],
  ];
  return names.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}

/** Bits a weight of formats that are timed as a neighbour (llama.cpp, tools/quantize/README.md, whole models). */
const BITS: readonly (readonly [RegExp, Quant, number])[] = [
  [/iq1|q1_|ternary|bitnet|1\.58|tq[12]_0|w2a|^w2\b|iq2|q2_k|\bint2\b|\b[12][- ]?bits?\b/i, 'q4_0', 2.6],
  [/iq3|q3_k|w3a|\b3[- ]?bits?\b/i, 'q4_0', 3.9],
  [/iq4_xs/i, 'q4_0', 4.4],
  [/mxfp4|nvfp4/i, 'q4_0', 4.5],
  [/q4_k|k-quant/i, 'q4_0', 4.85],
  [/q4_1/i, 'q4_0', 5],
  [/q5|w5a|\b5[- ]?bits?\b/i, 'q4_0', 5.6],
  [/q6|w6a|\b6[- ]?bits?\b/i, 'q8_0', 6.6],
];

/** Bits of weights in the words of tables that name activations as well: `8da4w`, `4w8da`, `16a4w_block16`, `a16w4`; null for others. */
function weightBits(text: string): number | null {
  const found = /(?:^|[^a-z\d])(?:\d+d?a(\d+)w|(\d+)w\d+d?a|a\d+w(\d+))(?![a-z\d])/i.exec(text);
  return found === null ? null : Number(found[1] ?? found[2] ?? found[3]);
}

/** The format of a row: what its column says, else what the name of its file does. */
export function formatSaid({ quant, model }: Pick<PublishedRow, 'quant' | 'model'>): string {
  if (!UNSTATED.test(quant.trim())) return quant;
  return (
    /\b(?:ud-)?(?:i?q\d_\w+|q\df16_\d|mxfp4|w\d+a\d+|int[48]|bf16|fp?16|fp?32)\b/i.exec(model)?.[0] ?? quant
  );
}

const UNSTATED = /^(|-|n\/[as]|unstated|unknown|default|\?)$/i;

const Q4_BITS = 4.5;
const Q8_BITS = 8.5;

/**
 * The format that is timed for a name, and by how much its bytes differ.
 * @param params of the model, in billions, for a size in GiB
 * @throws NotModelled for a name that says no width
 */
export function formatOf(text: string, engine: string, params: number): FormatReading {
  const said = text.trim();
  const head: Quant | null = /fp16 lm_head/i.test(said)
    ? 'f16'
    : /(w8|int8|q8_0?) lm_head/i.test(said)
      ? 'q8_0'
      : null;
  const reading = (
    quant: Quant,
    scale: number | readonly [number, number],
    note: string | null = null,
  ): FormatReading => ({
    quant,
    headQuant: head ?? quant,
    bytesScale: typeof scale === 'number' ? [scale, scale] : scale,
    note,
  });
  const exact = QUANTS.find((quant) => quant === said.toLowerCase());
  if (exact !== undefined) return reading(exact, 1);
  const size = /(\d+(?:\.\d+)?)(?:\s*-\s*(\d+(?:\.\d+)?))?\s*Gi?B/i.exec(said);
  if (size !== null && params > 0) {
    const bits = [Number(size[1]), Number(size[2] ?? size[1])].map(
      (gib) => (gib * 2 ** 30 * 8) / (params * 1e9),
    );
    const range = [bits[0] / Q4_BITS, bits[1] / Q4_BITS] as const;
    return reading(
      'q4_0',
      range,
      `${said}: ${bits.map((each) => each.toFixed(1)).join(' to ')} bits a weight`,
    );
  }
  const near = BITS.find(([pattern]) => pattern.test(said));
  if (near !== undefined) {
    const [, quant, bits] = near;
    return reading(quant, bits / (quant === 'q4_0' ? Q4_BITS : Q8_BITS), `${said}: ${bits} bits a weight`);
  }
  const widths = weightBits(said);
  if (widths === 8 || (widths === null && /^w8|q8|^int8|\b8[- ]?bits?\b|u8 ?x ?i8|fp8/i.test(said)))
    return reading('q8_0', 1);
  if (
    widths === 4 ||
    /^w4|w4a|q4|\b4[- ]?bits?\b|i4\b|int4|spinquant|qlora|awq|gptq|n?fp?4\b|q4f16/i.test(said)
  )
    return reading('q4_0', 1);
  if (/b?fp?16|^f16|half|float16/i.test(said)) return reading('f16', 1);
  if (/f32|fp32|float(32)?\b/i.test(said)) return reading('f32', 1);
  if (/mixed/i.test(said)) return reading('q4_0', [1, 1.4], `"${said}" taken as 4.5 to 6.3 bits a weight`);
  if (UNSTATED.test(said) || /litert|executorch|genie|qnn|mlc|recipe|^npu$/i.test(said)) {
    const wide = /cpu/i.test(engine) ? 1.9 : 1.4;
    return reading(
      'q4_0',
      [1, wide],
      `format not stated: 4 bits taken, up to ${wide} times the bytes in the range`,
    );
  }
  throw new NotModelled(`quantization "${text}" is not modelled`);
}
