/**
 * How the Hexagon backend of llama.cpp prints what an operator took. The format changed four times: `inline` (late 2025)
 * puts extents behind each name, `op-usec` (early 2026) has a field for each fact, `colons` (spring 2026) drops packets
 * for counters of the PMU, `pipes` (since then) adds the start of the operator, so that intervals can be placed on one axis.
 */
export type ProfileDialect = 'inline' | 'op-usec' | 'colons' | 'pipes';

/** Fields of one operator line; null where a dialect does not have it. */
export interface ProfiledOp {
  /** Session of the backend, which is one NPU: `HTP0`, `HTP0:1`. */
  readonly session: string;
  /** Operator, or operators fused into one: `MUL_MAT`, `RMS_NORM+MUL`. */
  readonly op: string;
  /** `blk.0.attn_q.weight x attn_norm-0 -> Qcur-0`. */
  readonly names: string;
  /** Extents as printed, innermost first: `3072:8192 x 3072:1 -> 8192:1`. */
  readonly dims: string;
  readonly types: string | null;
  readonly strides: string | null;
  readonly buffers: string | null;
  /** Kernel and its parameters, e.g. `hmx-tiled vtcm 8000000`. */
  readonly kernel: string | null;
  readonly us: number;
  readonly cycles: number;
  /** Cycle counter at the start, 32 bits as printed. */
  readonly start: number | null;
  readonly mhz: number | null;
  readonly packets: number | null;
  /** Time of the call as the host saw it. */
  readonly callUs: number | null;
  /** Eight counters of the performance monitoring unit. */
  readonly pmu: readonly number[] | null;
}

const PACKETS =
  /^op-usec (?<us>\d+) op-cycles (?<cycles>\d+) op-pkts (?<packets>\d+) \(\S+\) call-usec (?<callUs>\d+)$/;
const COUNTERS =
  /^usec (?<us>\d+) cycles (?<cycles>\d+)(?: start (?<start>\d+) mhz (?<mhz>\d+\.\d))?(?: pmu \[(?<pmu>[\d,]+)\])?(?: evt \[[\d,]*\])?$/;

/** One thing per tensor of an operator: `A x B -> C`. */
const perTensor = (one: string) => new RegExp(`^${one}(?: x ${one})*(?: -> ${one})?$`);
const EXTENTS = String.raw`(?:\d+(?::\d+)*|NONE)`;
const DIMS = perTensor(EXTENTS);
const TYPES = perTensor(String.raw`(?:[a-z]+\d+\w*|NONE)`);
/** A tensor that is not contiguous has a mark. */
const STRIDES = perTensor(String.raw`(?:\d+(?::\d+)*!?|NONE)`);
const BUFFERS = /^\S+(?: x \S+)* -> \S+$/;

/** An operator line behind the session's name, and the dialect it is of; null when it is of none. */
export function parseOp(session: string, said: string): { dialect: ProfileDialect; op: ProfiledOp } | null {
  const text = said.replace(/^profile-op /, '');
  if (text === said) return inlineOp(session, text);
  const bar = text.indexOf('|');
  const colon = text.indexOf(': ');
  if (bar > 0 && (colon < 0 || bar < colon)) {
    const op = fieldsOf(session, text.slice(0, bar), text.slice(bar + 1).split('|'), COUNTERS);
    return op === null || op.start === null ? null : { dialect: 'pipes', op };
  }
  if (colon <= 0) return null;
  const [name, fields] = [text.slice(0, colon), text.slice(colon + 2).split(' : ')];
  const now = fieldsOf(session, name, fields, COUNTERS);
  if (now !== null) return { dialect: 'colons', op: now };
  const then = fieldsOf(session, name, fields, PACKETS);
  return then === null ? null : { dialect: 'op-usec', op: then };
}

/**
 * Fields by their shape, not by their place: builds of one dialect have the kernel or do not, and a name may hold the
 * separator.
 */
function fieldsOf(
  session: string,
  op: string,
  parts: readonly string[],
  measured: RegExp,
): ProfiledOp | null {
  const numbers = measuredIn(parts.at(-1), measured);
  if (numbers === null) return null;
  const facts = parts.slice(0, -1);
  const at = facts.findLastIndex(
    (_, i) =>
      i > 0 && DIMS.test(facts[i]) && TYPES.test(facts[i + 1] ?? '') && STRIDES.test(facts[i + 2] ?? ''),
  );
  if (at < 0) return null;
  const rest = facts.slice(at + 3);
  const buffers = BUFFERS.test(rest[0] ?? '') ? rest.shift() : undefined;
  const kernel = rest.shift();
  if (rest.length > 0 || BUFFERS.test(kernel ?? '')) return null;
  return {
    session,
    op,
    names: facts.slice(0, at).join(' : '),
    dims: facts[at],
    types: facts[at + 1],
    strides: facts[at + 2],
    buffers: buffers ?? null,
    kernel: kernel === undefined || /^-+$/.test(kernel) ? null : kernel,
    ...numbers,
  };
}

const INLINE_TENSOR = /(^| x | -> )(\S.*?) (\d+(?::\d+){3})(?= x | -> |$)/g;

/** `MUL_MAT w 4:4:1:1 x a 4:1:1:1 -> b 4:1:1:1 : op-usec ...`: the form of late 2025. */
function inlineOp(session: string, text: string): { dialect: ProfileDialect; op: ProfiledOp } | null {
  const end = text.lastIndexOf(' : ');
  const [, op, tensors] = /^(\S+) (.+)$/.exec(text.slice(0, Math.max(end, 0))) ?? [];
  const numbers = measuredIn(text.slice(end + 3), PACKETS);
  if (tensors === undefined || numbers === null) return null;
  if (tensors.replace(INLINE_TENSOR, '') !== '') return null;
  const none = { types: null, strides: null, buffers: null, kernel: null };
  const [names, dims] = ['$1$2', '$1$3'].map((kept) => tensors.replace(INLINE_TENSOR, kept));
  return { dialect: 'inline', op: { session, op, names, dims, ...none, ...numbers } };
}

type Measured = Pick<ProfiledOp, 'us' | 'cycles' | 'start' | 'mhz' | 'packets' | 'callUs' | 'pmu'>;

function measuredIn(text: string | undefined, measured: RegExp): Measured | null {
  const found = measured.exec(text ?? '')?.groups;
  if (found === undefined) return null;
  const number = (name: string) => (found[name] === undefined ? null : Number(found[name]));
  return {
    us: Number(found.us),
    cycles: Number(found.cycles),
    start: number('start'),
    mhz: number('mhz'),
    packets: number('packets'),
    callUs: number('callUs'),
    pmu: found.pmu === undefined ? null : found.pmu.split(',').map(Number),
  };
}
