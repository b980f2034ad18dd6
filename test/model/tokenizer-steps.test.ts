import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { DataError } from '../../src/errors.js';
import {
  createTokenizer,
  parseTokenizerJson,
  type Tokenizer,
  type TokenizerJson,
} from '../../src/model/tokenizer.js';

interface Case {
  readonly base: string;
  readonly change: object;
  readonly model: object;
  readonly added: TokenizerJson['added_tokens'];
  readonly ids: readonly (readonly number[])[] | null;
  readonly special?: readonly (readonly number[])[];
}

const golden = JSON.parse(
  readFileSync(new URL('../golden/tokenizer-steps.json', import.meta.url), 'utf8'),
) as {
  readonly texts: readonly string[];
  readonly bases: Readonly<Record<string, TokenizerJson>>;
  readonly cases: readonly Case[];
};

/** What must not be refused, as published tokenizers have it: parts of names. */
const COMMON = [
  'bytes {}',
  'pieces {}',
  '"NFC"',
  '"use_regex":true}}',
  '"prepend_scheme":"first","split":false}}',
  '{1,3}"},"behavior":"Isolated"',
  '"individual_digits":true',
  '"Punctuation","behavior":"Contiguous"',
  '"ignore_merges":true',
  'TemplateProcessing',
];

const name = ({ base, change, model, added }: Case) =>
  `${base} ${JSON.stringify({ ...change, ...model, ...(added.length > 0 ? { added: added.map((a) => a.content) } : {}) })}`;

const refused = new Set<string>();

it.each(golden.cases.map((each) => [name(each), each] as const))('%s: equal ids or a refusal', (_, each) => {
  const base = golden.bases[each.base];
  const json = {
    ...base,
    ...each.change,
    model: { ...base.model, ...each.model },
    added_tokens: [...base.added_tokens, ...each.added],
  };
  let tokenizer: Tokenizer;
  try {
    tokenizer = createTokenizer(parseTokenizerJson(JSON.stringify(json), 't'), 't');
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    refused.add(name(each));
    return;
  }
  expect(each.ids).not.toBeNull();
  expect(golden.texts.map((text) => tokenizer.encode(text))).toEqual(each.ids);
  expect(golden.texts.map((text) => tokenizer.encode(text, { addSpecial: true }))).toEqual(
    each.special ?? each.ids,
  );
});

it('what published tokenizers have is not refused', () => {
  const read = golden.cases.map(name).filter((each) => !refused.has(each));
  for (const part of COMMON) expect(read.find((each) => each.includes(part))).toBeDefined();
  expect(read.length).toBeGreaterThan(100);
});
