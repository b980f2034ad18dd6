import type { PublishedRow } from '../published.js';
import type { Amount } from './amount.js';
import { NotModelled } from './refusal.js';
import { RATE } from './units.js';

/** Kinds of work. */
export type PhaseKind = 'prefill' | 'decode' | 'denoise' | 'embed' | 'request' | 'kernel';

export const OPERATOR =
  /MUL_MAT|FLASH_ATTN|SWIGLU|GEGLU|RMS_NORM|SET_ROWS|GET_ROWS|SOFT_MAX|\bROPE\b|\bSILU\b|\bGELU\b|\bGEMM\b|\bGEMV\b|^ADD\b|^MUL\b|^CPY\b|^SCALE\b|\bSSM_CONV\b|\bCONCAT\b|\bL2_NORM\b|\bSUM_ROWS\b|\bARGSORT\b|GATED_DELTA_NET|SOLVE_TRI|IM2COL|CUMSUM|^(SUB|DIV|SQR|SQRT|SIGMOID|TANH|EXP|NEG|CLAMP|FILL|REPEAT|PAD|CONT|NORM|TRI|DIAG)\b|\d+x\d+x\d+|gate ?[+&_] ?up|Q ?\+ ?K ?\+ ?V|products? of (a|one) layer/i;

/** Work by the words that name it; the first that fits counts. */
const PHASES: readonly (readonly [RegExp, PhaseKind])[] = [
  [/embed|rerank|pooling|sentence|similarit/i, 'embed'],
  [
    /end.?to.?end|e2e|total|request|query|whole|\bturn\b|response time|\bpg\b|pp\d*\s*\+\s*tg|^inference$/i,
    'request',
  ],
  [
    /prefill|prompt|\bpp\d*\b|ttft|first.token|encod|context processing|input (processing|speed|throughput)|^ar-?(32|64|128)$/i,
    'prefill',
  ],
  [
    /decod|generat|\btg\d*\b|tpot|per.token|inter.?token|\bitl\b|token gen|output (speed|throughput|tokens)|^eval|response rate|^ar-?1$/i,
    'decode',
  ],
];

/** Models that make a vector of a text. */
const EMBEDDER =
  /embed|\bbge\b|\bgte\b|\be5\b|minilm|mpnet|sentence-|\bsbert\b|\bbert\b|roberta|arctic-embed|rerank|colbert/i;

/** Which work a row is about: by its phase, else by its metric or its tokens. @throws NotModelled for what is no work of a model */
export function phaseOf(row: PublishedRow): PhaseKind {
  const { phase, metric, model, batch_or_tokens: tokens, unit } = row;
  if (OPERATOR.test(model) || /kernel|operator|\bop\b|\bgemm|\bgemv|micro/i.test(phase)) return 'kernel';
  if (EMBEDDER.test(model)) return 'embed';
  if (/denois|diffusion|\bstep\b|forward( pass)?$/i.test(phase)) return 'denoise';
  if (/load|init|start.?up|compil|convert|quantiz/i.test(phase))
    throw new NotModelled(`a ${phase} measurement is not modelled`);
  for (const text of [phase, metric, tokens]) {
    const found = PHASES.find(([pattern]) => pattern.test(text));
    if (found !== undefined) return found[1];
  }
  if (/energy|power/i.test(phase)) return 'request';
  // What a chat shows is the rate of its answer.
  if (RATE.test(unit)) return 'decode';
  throw new NotModelled(`a ${phase || 'nameless'} measurement is not modelled`);
}

/** Clocks that no profile has: they are those of a cool chip that may run as fast as it can. */
const CLOCKS =
  /throttl|thermal(ly)?[ -]?(limit|steady|satur)|power[ _-]?sav|low[ _-]?power|battery[ _-]?sav|\bsvs\d?\b|after \d+ ?min/i;

/** @throws NotModelled for a measurement of a hot chip, or of one told to save power */
export function refuseClocks({
  engine,
  phase,
  metric,
  batch_or_tokens: tokens,
  context,
}: PublishedRow): void {
  const found = CLOCKS.exec(`${engine} ${phase} ${metric} ${tokens} ${context}`)?.[0];
  if (found !== undefined)
    throw new NotModelled(
      `clocks are not those of a cool chip at full power ("${found}"): how far they fell is not stated`,
    );
}

/** Several tokens a pass, as many as a draft is right about. */
const DRAFTS =
  /speculat|\bdraft|eagle|medusa|\bssd(-q\d)?\b|lookahead decod|\blookahead\b|prompt.?lookup|multi-token/i;

/** @throws NotModelled for a row that says that a pass gave several tokens, and not how many */
export function refuseDrafts({ engine, phase, metric, model, batch_or_tokens: tokens }: PublishedRow): void {
  if (/llada/i.test(engine)) return;
  if (DRAFTS.test(`${engine} ${phase} ${metric} ${model} ${tokens}`))
    throw new NotModelled('speculative decoding: how many drafted tokens were accepted is not stated');
}

/** Models that see: most rows of their prompt are an image. */
const SEES =
  /\bvlm\b|fastvlm|smolvlm|-vl\b|[- ]vl-|vision|llava|minicpm-?[vo]|moondream|paligemma|internvl|florence|omni|image/i;

/** @throws NotModelled for a prompt of unstated length that holds an image */
export function refuseImages(
  { model, batch_or_tokens: tokens, context }: PublishedRow,
  prompt: Amount | null,
): void {
  if (/image|picture|photo|\d+ ?px|\d{3,}x\d{3,}/i.test(`${tokens} ${context}`))
    throw new NotModelled('the prompt holds an image, and no encoder of images is modelled');
  if (prompt === null && SEES.test(model) && !/text/i.test(tokens))
    throw new NotModelled(
      `the prompt of "${model}" is not stated: it may hold an image, and no encoder of images is modelled`,
    );
}
