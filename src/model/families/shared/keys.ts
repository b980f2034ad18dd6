import { DataError } from '../../../errors.js';
import { checkFact, type FactName, type Facts, shown } from './facts.js';

/** Where a key was found. */
export interface Place {
  /** The file, as messages name it. */
  readonly label: string;
  /** The key, as messages name it. */
  readonly key: string;
  /** All keys of the file. */
  readonly entries: Readonly<Record<string, unknown>>;
}

/** Where facts were read, for messages about several of them. */
export interface Origin {
  readonly label: string;
  /** The file's key for a fact. */
  readonly keyOf: (fact: FactName) => string;
}

/** What a key of a configuration file means, read and written. */
export interface KeyRule {
  /** The fact that the key states, for messages about one that is missing. */
  readonly fact?: FactName;
  /** The keys that it holds. */
  readonly nested?: KeyTable;
  /** The key has the last word where an earlier one states the same fact. */
  readonly wins?: boolean;
  /**
   * What a value states.
   * @throws DataError for a value that cannot be, or that changes the computation and is not honoured
   */
  read(value: unknown, place: Place): Facts;
  /**
   * Value in the file of a model; undefined leaves the key out.
   * @throws UsageError for a model that such a file cannot describe
   */
  write(facts: Facts): unknown;
}

/** Every key of a file that this project knows, in the order they are written. */
export type KeyTable<Rule extends KeyRule = KeyRule> = Readonly<Record<string, Rule>>;

/** The key states a fact as it is. */
export function is(fact: FactName): KeyRule {
  return {
    fact,
    read: (value, { label, key }) => checkFact(fact, value, `${label}: ${key}`),
    write: (facts) => facts[fact],
  };
}

/** The key must have the first of the values, or another harmless one; any other would change the computation. */
export function only(harmless: readonly unknown[], why: string): KeyRule {
  return {
    read: (value, place) => (harmless.includes(value) ? {} : refuse(value, place, why)),
    write: () => harmless[0],
  };
}

/** A list, or a single value, of nothing but harmless values. */
export function onlyAll(harmless: unknown, why: string): KeyRule {
  return {
    read: (value, place) =>
      [value].flat().every((one) => one === harmless) ? {} : refuse(value, place, why),
    write: () => undefined,
  };
}

/** The key holds keys of its own; without any it is written as null. */
export function nested(table: KeyTable): KeyRule {
  return {
    nested: table,
    read: (value, { label, key }) => {
      if (value === false) return {};
      if (typeof value !== 'object' || Array.isArray(value))
        throw new DataError(`${label}: ${key} ${shown(value)}: not an object`);
      return readKeys(table, value as Readonly<Record<string, unknown>>, label, `${key}.`);
    },
    write: (facts) => {
      const written = writeKeys(table, facts);
      return Object.keys(written).length === 0 ? null : written;
    },
  };
}

/** What a rule reads, without being written. */
export function unwritten(rule: KeyRule): KeyRule {
  return { ...rule, write: () => undefined };
}

/** The key has no part in what is computed. */
export const INERT: KeyRule = { read: () => ({}), write: () => undefined };

/** @throws DataError naming the value and why it is refused */
export function refuse(value: unknown, { label, key }: Pick<Place, 'label' | 'key'>, why: string): never {
  throw new DataError(`${label}: ${key} ${shown(value)}: ${why}`);
}

/**
 * What a file states. Null is as good as absent.
 * @param prefix of the keys, for messages
 * @throws DataError naming file, key and reason, also for a key that is not in the table
 */
export function readKeys(
  table: KeyTable,
  entries: Readonly<Record<string, unknown>>,
  label: string,
  prefix = '',
): Facts {
  let facts: Facts = {};
  const statedBy = new Map<string, string>();
  const given = (key: string) => entries[key] !== undefined && entries[key] !== null;
  for (const [key, rule] of Object.entries(table)) {
    if (!given(key)) continue;
    const place = { label, key: prefix + key, entries };
    const stated = rule.read(entries[key], place);
    for (const [fact, value] of Object.entries(stated)) {
      const earlier = facts[fact as FactName];
      if (earlier !== undefined && earlier !== value && rule.wins !== true)
        refuse(entries[key], place, `contradicts ${statedBy.get(fact)} ${shown(earlier)}`);
      statedBy.set(fact, prefix + key);
    }
    facts = { ...facts, ...stated };
  }
  const unknown = Object.keys(entries).find((key) => given(key) && table[key] === undefined);
  if (unknown === undefined) return facts;
  const why =
    'this key is not known here, and what it does to the computation neither; if nothing, take it out of the file';
  return refuse(entries[unknown], { label, key: prefix + unknown }, why);
}

/** The keys of a file of a model. @throws UsageError for a model that such a file cannot describe */
export function writeKeys(table: KeyTable, facts: Facts): Record<string, unknown> {
  const written = Object.entries(table).map(([key, rule]) => [key, rule.write(facts)] as const);
  return Object.fromEntries(written.filter(([, value]) => value !== undefined));
}

/**
 * The key that states a fact, or would: with several that may, the one that the file has.
 * @param entries of the file; nested ones by the key that holds them
 */
export function keyOf(
  table: KeyTable,
  fact: FactName,
  entries: Readonly<Record<string, unknown>> = {},
): string | undefined {
  const isGiven = (key: string) => entries[key] !== undefined && entries[key] !== null;
  const keys = Object.keys(table).filter((key) => table[key]?.fact === fact);
  const direct = keys.find(isGiven) ?? keys[0];
  if (direct !== undefined) return direct;
  const holders = Object.entries(table).filter(([, rule]) => rule.nested !== undefined);
  const inside = holders
    .sort(([a], [b]) => Number(isGiven(b)) - Number(isGiven(a)))
    .flatMap(([key, rule]) => {
      const held = entries[key];
      const found = keyOf(
        rule.nested ?? {},
        fact,
        typeof held === 'object' && held !== null ? (held as Readonly<Record<string, unknown>>) : {},
      );
      return found === undefined ? [] : [`${key}.${found}`];
    });
  return inside[0];
}
