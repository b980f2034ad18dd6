import type { ScorerKind } from './scorer.js';

/**
 * Numbers as lm-evaluation-harness compares them (tasks/gsm8k/gsm8k.yaml, `regexes_to_ignore`, `ignore_case`): without
 * commas, dollars, what stands before `#### `, and a full stop at the end.
 */
function plain(text: string): string {
  return text
    .replace(/,/g, '')
    .replace(/\$/g, '')
    .replace(/^.*#### /s, '')
    .replace(/\.$/, '')
    .trim()
    .toLowerCase();
}

const same = (found: string | undefined, answer: string): boolean =>
  found !== undefined && plain(found) === plain(answer);

/** Filter `strict-match` of the same file: the first number behind `#### `. */
export const gsm8kStrict: ScorerKind = {
  says: "the first number behind '#### ' (GSM8K's own form)",
  takes: null,
  make: () => (text, answer) => same(/#### (-?[0-9.,]+)/.exec(text)?.[1], answer),
};

/** Filter `flexible-extract` of the same file: the last number of the text. */
export const gsm8kFlexible: ScorerKind = {
  says: 'the last number of the text',
  takes: null,
  make: () => (text, answer) => same(text.match(/-?[$0-9.,]{2,}|-?[0-9]+/g)?.at(-1), answer),
};
