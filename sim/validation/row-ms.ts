import { DataError } from '../../src/errors.js';
import { explainAccounts, type TimeNode } from '../machine/explain.js';
import { type Case, interpret } from './interpret.js';
import { nominalDraw, type Predicted, predict } from './predict.js';
import { isPart, type PublishedRow } from './published.js';
import { NotModelled } from './reading/refusal.js';

/** A row in ms of its work. */
export interface RowMs {
  readonly publishedMs: number;
  readonly predictedMs: number;
}

/** @throws NotModelled */
export function caseOf(row: PublishedRow): Case {
  const found = interpret(row);
  if ('reason' in found) throw new NotModelled(found.reason);
  return found.case;
}

/** A prompt, a pass of decode, a request or an operator, once. @throws NotModelled for what is no time */
export function rowMs(row: PublishedRow): RowMs {
  const wanted = caseOf(row);
  const { value } = predict(wanted, nominalDraw(wanted));
  return { publishedMs: msOf(wanted, row.value), predictedMs: msOf(wanted, value) };
}

function msOf({ measure, work }: Case, value: number): number {
  const inBase = value / measure.factor;
  const tokens = tokensOf(work);
  if (measure.quantity === 'rate') return (tokens * 1000) / inBase;
  if (measure.quantity === 'time') return measure.per === 'token' ? inBase * tokens : inBase;
  throw new NotModelled(`${measure.quantity} has no parts in ms`);
}

function tokensOf(work: Case['work']): number {
  switch (work.kind) {
    case 'prefill':
    case 'embed':
      return work.tokens.value;
    case 'decode':
      return work.passes * work.sequences;
    case 'request':
      return work.answer.value + (work.counts === 'all' ? work.prompt.value : 0);
    case 'kernel':
      return 1;
  }
}

const MS_OF = { s: 1000, ms: 1, us: 1e-3 } as const;

/**
 * A row of phase `part`, for as often as it happens in its whole: its model is the path of a branch of what `explain` prints
 * (`NPU`, `NPU/feed-forward/down`), or `device` or `host` of an operator's call. It may have lengths of its own.
 * @throws DataError for a name that no part has, or another unit than s, ms, us or %; NotModelled as its whole
 */
export function partMs(part: PublishedRow, whole: PublishedRow): RowMs {
  if (isPart(whole)) throw new DataError(`row ${part.id}: ${whole.id} is itself a part and is not timed`);
  const wanted = caseOf({
    ...whole,
    batch_or_tokens: part.batch_or_tokens || whole.batch_or_tokens,
    context: part.context || whole.context,
  });
  const predictedMs = branchMs(part, predict(wanted, nominalDraw(wanted), true));
  const unit = part.unit.trim();
  if (unit === '%') return { publishedMs: (part.value / 100) * rowMs(whole).publishedMs, predictedMs };
  const factor = MS_OF[unit as keyof typeof MS_OF];
  if (factor === undefined) throw new DataError(`row ${part.id}: a part is in s, ms, us or %, not "${unit}"`);
  return { publishedMs: (part.times ?? 1) * part.value * factor, predictedMs };
}

/** Names of the first level: one that the machine has not may still be what a source has. */
const PLACES = ['NPU', 'CPU', 'GPU', 'host', 'memory'];

function branchMs({ id, model }: PublishedRow, { account, kernelParts }: Predicted): number {
  const path = model.split('/').map((name) => name.trim());
  if (account === null) {
    const [name, ...deeper] = path;
    if (deeper.length > 0 || (name !== 'device' && name !== 'host'))
      throw new DataError(`row ${id}: parts of an operator are device and host, not "${model}"`);
    const inside = (part: string): boolean => part !== 'dispatch' && part !== 'cache maintenance';
    return (kernelParts ?? [])
      .filter((part) => inside(part.name) === (name === 'device'))
      .reduce((sum, { ms }) => sum + ms, 0);
  }
  let node: TimeNode | undefined = explainAccounts([{ name: 'work', account }]).tree;
  for (const [depth, name] of path.entries()) {
    const below: TimeNode | undefined = node.children.find((child) => child.name === name);
    if (below === undefined && depth === 0 && PLACES.includes(name)) return 0;
    if (below === undefined) {
      const known = node.children.map((child) => child.name).join(', ');
      throw new DataError(`row ${id}: no part "${name}"; there are ${known}`);
    }
    node = below;
  }
  return node.ms;
}
