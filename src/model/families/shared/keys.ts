import { DataError } from '../../../errors.js';
import { checkFact, type FactName, type Facts } from './facts.js';

/** What a key of a configuration file means, read and written. */
export interface KeyRule {
  /** The fact that the key states, for messages about one that is missing. */
  readonly fact?: FactName;
  /**
   * What a value states.
   * @param key as messages name it
   * @throws DataError for a value that cannot be, or that changes the computation and is not honoured
   */
  read(value: unknown, label: string, key: string): Facts;
  /** Value in the file of a model; undefined leaves the key out. */
  write(facts: Facts): unknown;
}

/** Every key of a file that this project knows, in the order they are written. */
export type KeyTable<Rule extends KeyRule = KeyRule> = Readonly<Record<string, Rule>>;

/** The key states a fact as it is. */
export function is(fact: FactName): KeyRule {
  return {
    fact,
    read: (value, label, key) => checkFact(fact, value, `${label}: ${key}`),
    write: (facts) => facts[fact],
  };
}

/** The key must have the first of the values, or another harmless one; any other would change the computation. */
export function only(harmless: readonly unknown[], why: string): KeyRule {
  return {
    read: (value, label, key) => {
      if (harmless.includes(value)) return {};
      throw new DataError(`${label}: ${key} ${shown(value)}: ${why}`);
    },
    write: () => harmless[0],
  };
}

/** What a rule reads, without being written. */
export function unwritten(rule: KeyRule): KeyRule {
  return { ...rule, write: () => undefined };
}

/** The key has no part in what is computed. */
export const INERT: KeyRule = { read: () => ({}), write: () => undefined };

/**
 * What a file states.
 * @param prefix of the keys, for messages
 * @throws DataError naming file, key and reason
 */
export function readKeys(
  table: KeyTable,
  entries: Readonly<Record<string, unknown>>,
  label: string,
  prefix = '',
): Facts {
  let facts: Facts = {};
  for (const [key, rule] of Object.entries(table)) {
    const value = entries[key];
    if (value !== undefined && value !== null) facts = { ...facts, ...rule.read(value, label, prefix + key) };
  }
  return facts;
}

/** The key of a table that states a fact. */
export function keyOf(table: KeyTable, fact: FactName): string {
  return Object.keys(table).find((key) => table[key]?.fact === fact) ?? fact;
}

function shown(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
