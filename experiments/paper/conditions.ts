import { type PaperConditions, type PaperTableName, paperNumbers, paperTable } from './numbers.js';

/** Conditions of a run; one that the run does not have is left out and differs in nothing. */
export type RunConditions = { readonly [C in keyof PaperConditions]?: PaperConditions[C] | null };

const WORDS: { readonly [C in keyof PaperConditions]: (value: PaperConditions[C]) => string } = {
  soc: (soc) => `the chip is ${soc}`,
  costModel: (model) => `the shapes are those of ${model}`,
  quant: (quant) => `the weights are ${quant}`,
  genLength: (tokens) => `answers have ${tokens} tokens`,
  blockLength: (tokens) => `blocks have ${tokens} tokens`,
};

const ALL = Object.keys(WORDS) as (keyof PaperConditions)[];

/**
 * Why numbers of the paper do not belong beside a run: they were measured under other conditions.
 * @param table whose conditions count; null: a number of several tables, all of them count
 * @returns a sentence, or null where they belong
 */
export function paperElsewhere(table: PaperTableName | null, run: RunConditions): string | null {
  const differs = (table === null ? ALL : paperTable(table).conditions).filter((name) => !same(name, run));
  if (differs.length === 0) return null;
  const said = (of: RunConditions): string =>
    differs.map((name) => (WORDS[name] as (value: unknown) => string)(of[name])).join(', ');
  return `The paper's numbers are left out: here ${said(run)}; there ${said(paperNumbers().conditions)}.`;
}

function same(name: keyof PaperConditions, run: RunConditions): boolean {
  const [here, there] = [run[name], paperNumbers().conditions[name]];
  if (here === undefined || here === null) return true;
  // A profile says its chip by name and part number: `Snapdragon 8 Elite (SM8750)`.
  return name === 'soc' ? new RegExp(`\\b${there}\\b`).test(String(here)) : here === there;
}
