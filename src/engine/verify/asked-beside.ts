import type { Scoring } from '../../decode/rules/sample-row.js';
import { probabilityOf } from '../../decode/rules/score-row.js';
import { CheckError } from '../../errors.js';
import type { RowOutcome } from '../../pass/pass.js';
import type { JointPass } from './closure.js';

type Wanted = JointPass['wanted'][number];

/** Added to every probability before its logarithm, as KLASS does. */
const EPSILON = 1e-12;

/**
 * The numbers that a policy asked for beside a row's token, recomputed from the row's logits alone. One that is missing, or that nobody asked
 * for, is a fault of the record: a rule would go on without it, or take it, and nothing would be compared.
 */
export class AskedBeside {
  /** The last distributions of every position, oldest first. */
  private readonly seen = new Map<number, Float64Array[]>();

  /**
   * @param scoring what the policy asks of all rows
   * @param inOrder every step is handed over; without that it is not known how far a row moved
   */
  constructor(
    private readonly scoring: Scoring,
    private readonly inOrder: boolean,
    private readonly maskId: number,
  ) {}

  /**
   * |recorded - recomputed| of the probability that a row asked for; 0 where it asked for none.
   * @throws CheckError where it is missing, or was not asked for
   */
  probabilityError(wanted: Wanted, { asked }: RowOutcome, logits: Float32Array): number {
    const { asks } = wanted;
    const own = asks === undefined ? undefined : probabilityOf(logits, 0, logits.length, asks);
    return errorOf('the probability of a token', wanted, own, asked);
  }

  /**
   * Larger |recorded - recomputed| of gap and drift, in nats; null where the policy asks for neither, or nothing is known. Rows come in the
   * order in which they were computed.
   * @throws CheckError where one is missing, or was not asked for
   */
  natsError(wanted: Wanted, { gap, drift }: RowOutcome, logits: Float32Array): number | null {
    const asks = this.scoring;
    const gapError = errorOf(
      'the gap of its logits',
      wanted,
      asks.gap ? gapOf(logits, this.maskId) : undefined,
      gap,
    );
    if (asks.drift !== null && !this.inOrder) return asks.gap ? gapError : null;
    const driftError = errorOf('its drift', wanted, this.drift(wanted, logits), drift);
    return asks.gap || asks.drift !== null ? Math.max(gapError, driftError) : null;
  }

  /** Largest KL(p_t || p_t-1) of the last steps; undefined before there are as many, and where nobody asks. */
  private drift({ position, denoises }: Wanted, logits: Float32Array): number | undefined {
    const steps = this.scoring.drift;
    if (steps === null || !denoises) return undefined;
    const known = [...(this.seen.get(position) ?? []), softmax(logits)].slice(-steps - 1);
    this.seen.set(position, known);
    if (known.length <= steps) return undefined;
    return Math.max(...known.slice(1).map((now, at) => divergence(now, known[at])));
  }
}

function errorOf(
  what: string,
  { partId, position }: Wanted,
  recomputed: number | undefined,
  recorded: number | undefined,
): number {
  if (recomputed === undefined && recorded === undefined) return 0;
  if (recomputed !== undefined && recorded !== undefined) return Math.abs(recomputed - recorded);
  const how =
    recorded === undefined ? 'was asked for and is not recorded' : 'is recorded and was not asked for';
  throw new CheckError(`pass ${partId}, row of position ${position}: ${what} ${how}`);
}

function gapOf(logits: Float32Array, maskId: number): number {
  const rising = logits.filter((_, id) => id !== maskId).sort();
  return rising[rising.length - 1] - rising[rising.length - 2];
}

function softmax(logits: Float32Array): Float64Array {
  const top = logits.reduce((a, b) => Math.max(a, b));
  const powers = Float64Array.from(logits, (logit) => Math.exp(logit - top));
  const total = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / total);
}

/** KL(now || before), in nats. */
const divergence = (now: Float64Array, before: Float64Array): number =>
  now.reduce((sum, p, id) => sum + p * Math.log((p + EPSILON) / (before[id] + EPSILON)), 0);
