import { UsageError } from '../../src/errors.js';
import { ALIASES } from './aliases.js';
import type { Said } from './said.js';

/** Operators of the backend whose loops nobody has counted here: a product or a row operator of a like name would be a wrong time. */
const UNCOUNTED =
  /\b(GATED_DELTA_NET|SOLVE_TRI|TRI|DIAG|ARGSORT|ARGMAX|TOP_K|IM2COL|CUMSUM|SOFTPLUS|ADD_ID|ADD_REL_POS|SSM_SCAN|RWKV_WKV\d?|GATED_LINEAR_ATTN|CONV_\dD\w*|POOL_\dD|CROSS_ENTROPY_LOSS|TIMESTEP_EMBEDDING|UPSCALE|GROUP_NORM|ALLREDUCE|REGLU|RELU|LEAKY_RELU|ELU|HARDSWISH|HARDSIGMOID|XIELU|GELU_ERF|GEGLU_ERF|ABS|SGN|STEP|LOG|SIN|COS|MEAN|ACC|OUT_PROD|ROLL|ARANGE|FLOOR|CEIL|ROUND|TRUNC|COUNT_EQUAL|RMS_NORM_BACK|SILU_BACK|OPT_STEP_\w+|RMS_NORM_MUL_ADD|RMS_NORM_MUL_ROPE)\b/;

/** They only change how a tensor is read. */
const NO_WORK = /\b(VIEW|RESHAPE|PERMUTE|TRANSPOSE|NONE)\b/;

/** Operators that one kernel does together, joined by plus signs. */
const TOGETHER = /\b[A-Z][A-Z_\d]*(?:\s*\+\s*[A-Z][A-Z_\d]*)+/;
/** Those whose loops were counted, and parts of a layer. */
const COUNTED =
  /^(RMS_?NORM\+MUL|MUL_?MAT(\+MUL_?MAT)*(\+ADD)?|GEM[MV]\+ADD|SILU\+MUL|([A-Z]+_)?GATE\+([A-Z]+_)?UP|[QKV](\+[QKV])*)$/;

/** @throws UsageError for operators fused into one that nobody counted */
function refuseFused(said: Said): void {
  const names = TOGETHER.exec(said.words)?.[0].replace(/\s/g, '');
  if (names === undefined || COUNTED.test(names) || said.has(/ATTN|ATTENTION/)) return;
  if (names.split('+').some((name) => ALIASES.some(([pattern]) => pattern.test(name))))
    throw new UsageError(`operators ${names} fused into one are not modelled: their loop was not counted`);
}

/** @throws UsageError naming the operator */
export function refuseUncounted(said: Said): void {
  refuseFused(said);
  const view = NO_WORK.exec(said.words)?.[1];
  if (view !== undefined && !said.has(/MUL_?MAT|CPY|CONT|NORM|ROPE/))
    throw new UsageError(`${view} is no work of its own: it changes how a tensor is read`);
  const together = said.number('nf');
  if (together !== undefined && together > 1)
    throw new UsageError(`"${said.text}": ${together} operators fused into one are not modelled`);
  const found = UNCOUNTED.exec(said.words)?.[1];
  // `mean MUL_MAT` is a mean over products.
  if (found === 'MEAN' && said.has(/MUL_?MAT|PRODUCT|GEM[MV]/)) return;
  if (found !== undefined)
    throw new UsageError(
      `operator ${found} is not modelled: its loops were not counted in the backend's source`,
    );
}
