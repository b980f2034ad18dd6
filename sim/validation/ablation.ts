import { DataError } from '../../src/errors.js';
import { isPart, type PublishedRow } from './published.js';
import { NotModelled } from './reading/refusal.js';
import { caseOf, partMs, type RowMs, rowMs } from './row-ms.js';

/** A part of some work, measured and predicted, for as often as it happens. */
export interface AblatedPart extends RowMs {
  /** Null for what the source left of the whole. */
  readonly id: string | null;
  readonly name: string;
  readonly times: number;
  /** Predicted less published. */
  readonly offMs: number;
  /** Of the sum of |off| over the parts. */
  readonly share: number;
}

/** Which part of some work is off: errors that cancel in a sum show here. */
export interface Ablation extends RowMs {
  /** The row of the whole; null where a source times a prompt and a token, and this is a request made of both. */
  readonly id: string | null;
  readonly name: string;
  readonly offMs: number;
  /** Share of the errors of parts that cancels in the whole: 1 - |sum of off| / sum of |off|. */
  readonly cancelled: number;
  readonly parts: readonly AblatedPart[];
}

/** Tokens of the answer of a request that is made of a prompt and a token. */
const ANSWER = 128;

/**
 * The parts of every work whose source gives them: rows that name another in `part_of`, prompt and token of one source, call and
 * device of one operator. What cannot be modelled is left out: its row says why.
 * @throws DataError for a part of no row, or of a name that no part has
 */
export function ablationsOf(rows: readonly PublishedRow[]): Ablation[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const { id, part_of } of rows) {
    if (part_of && !byId.has(part_of))
      throw new DataError(`row ${id} is a part of ${part_of}, which is no row`);
  }
  const named = rows.filter(({ id }) => rows.some(({ part_of }) => part_of === id));
  const runs = new Map<string, PublishedRow[]>();
  for (const row of rows) {
    if (row.part_of || isPart(row)) continue;
    const { source, device, soc, engine, model, quant } = row;
    const key = JSON.stringify([source, device, soc, engine, model, quant]);
    runs.set(key, [...(runs.get(key) ?? []), row]);
  }
  return [
    ...named.flatMap((whole) => ifModelled(() => ofParts(whole, rows, byId))),
    ...[...runs.values()].flatMap((run) => ifModelled(() => ofRun(run))),
  ];
}

/** Those of a row, of what it is a part of, and of its parts. */
export function ablationsAround(id: string, rows: readonly PublishedRow[]): Ablation[] {
  const below = new Set(rows.flatMap((row) => (row.part_of === id ? [row.id] : [])));
  return ablationsOf(rows).filter(
    (each) =>
      each.id === id || (each.id !== null && below.has(each.id)) || each.parts.some((part) => part.id === id),
  );
}

function ifModelled(find: () => Ablation | null): Ablation[] {
  try {
    const found = find();
    return found === null ? [] : [found];
  } catch (error) {
    if (error instanceof NotModelled) return [];
    throw error;
  }
}

type Part = Omit<AblatedPart, 'offMs' | 'share'>;

function ofParts(
  whole: PublishedRow,
  rows: readonly PublishedRow[],
  byId: ReadonlyMap<string, PublishedRow>,
): Ablation {
  const total = (row: PublishedRow): RowMs => {
    const above = row.part_of ? byId.get(row.part_of) : undefined;
    if (isPart(row) && above !== undefined) return partMs(row, above);
    if (isPart(row)) throw new DataError(`row ${row.id} is a part and names no row in part_of`);
    return times(rowMs(row), row.times ?? 1);
  };
  const parts = rows
    .filter(({ part_of }) => part_of === whole.id)
    .map((row): Part => ({ id: row.id, name: row.model, times: row.times ?? 1, ...total(row) }));
  const { publishedMs, predictedMs } = isPart(whole) ? total(whole) : rowMs(whole);
  const rest = parts.reduce((left, part) => sum(left, times(part, -1)), { publishedMs, predictedMs });
  return ablation(whole.id, nameOf(whole), [
    ...parts,
    { id: null, name: 'everything else', times: 1, ...rest },
  ]);
}

/** A run of one source: what it says of a prompt and a token, or of a call and the device inside it. */
function ofRun(run: readonly PublishedRow[]): Ablation | null {
  const cases = run.map((row) => ({ row, wanted: caseOf(row) }));
  const ofKind = (kind: string) => cases.find(({ wanted }) => wanted.work.kind === kind)?.row;
  const [prompt, token] = [ofKind('prefill'), ofKind('decode')];
  if (prompt !== undefined && token !== undefined) {
    return ablation(null, `${nameOf(prompt)} and ${ANSWER} tokens`, [
      { id: prompt.id, name: 'prompt', times: 1, ...rowMs(prompt) },
      { id: token.id, name: 'token', times: ANSWER, ...times(rowMs(token), ANSWER) },
    ]);
  }
  const seen = (what: 'call' | 'device') =>
    cases.find(({ wanted }) => wanted.work.kind === 'kernel' && wanted.work.seen === what)?.row;
  const [call, device] = [seen('call'), seen('device')];
  if (call === undefined || device === undefined) return null;
  const inside = rowMs(device);
  return ablation(call.id, nameOf(call), [
    { id: device.id, name: 'device', times: 1, ...inside },
    { id: null, name: 'host', times: 1, ...sum(rowMs(call), times(inside, -1)) },
  ]);
}

function ablation(id: string | null, name: string, parts: readonly Part[]): Ablation {
  const off = ({ publishedMs, predictedMs }: RowMs): number => predictedMs - publishedMs;
  const all = parts.reduce((total, part) => total + Math.abs(off(part)), 0);
  const { publishedMs, predictedMs } = parts.reduce(sum, { publishedMs: 0, predictedMs: 0 });
  const offMs = predictedMs - publishedMs;
  return {
    id,
    name,
    publishedMs,
    predictedMs,
    offMs,
    cancelled: all === 0 ? 0 : Math.max(0, 1 - Math.abs(offMs) / all),
    parts: parts.map((part) => ({
      ...part,
      offMs: off(part),
      share: all === 0 ? 0 : Math.abs(off(part)) / all,
    })),
  };
}

function sum(a: RowMs, b: RowMs): { publishedMs: number; predictedMs: number } {
  return { publishedMs: a.publishedMs + b.publishedMs, predictedMs: a.predictedMs + b.predictedMs };
}

function times({ publishedMs, predictedMs }: RowMs, factor: number): RowMs {
  return { publishedMs: factor * publishedMs, predictedMs: factor * predictedMs };
}

function nameOf({ model, soc, engine, phase, batch_or_tokens: tokens, context }: PublishedRow): string {
  const lengths = [tokens, context].filter((text) => text !== '').join(' / ');
  return `${model}, ${soc}, ${engine}, ${phase}${lengths === '' ? '' : ` ${lengths}`}`;
}
