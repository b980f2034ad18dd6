import type { ScorerKind } from './scorer.js';

// The task gsm8k of lm-evaluation-harness (0.4.13, tasks/gsm8k/gsm8k.yaml), whose verdicts are those of
// test/golden/lm-eval-gsm8k.json, spaces and line ends of an answer included.

/** Where the harness cuts what a model says (`until`). */
const STOPS = ['Question:', '</s>', '<|im_end|>'];

/** What it finds in a text without a number. */
const NOTHING = '[invalid]';

function said(text: string): string {
  return STOPS.reduce((cut, stop) => cut.split(stop)[0], text);
}

/**
 * `regexes_to_ignore` and `ignore_case`: without commas, dollars, what stands before `#### `, and a full stop at the end.
 * Python's `$` is also true before a line end that ends the text.
 */
function plain(text: string): string {
  return text
    .replaceAll(',', '')
    .replaceAll('$', '')
    .replace(/^.*#### /s, '')
    .replace(/\.(?=\n?$)/, '')
    .toLowerCase();
}

const same = (found: string | undefined, answer: string): boolean =>
  plain(found ?? NOTHING) === plain(answer);

/** Filter `strict-match`: the first number behind `#### `. */
export const gsm8kStrict: ScorerKind = {
  says: "the first number behind '#### ' (GSM8K's own form)",
  takes: null,
  make: () => (text, answer) => same(/#### (-?[0-9.,]+)/.exec(said(text))?.[1], answer),
};

/** Filter `flexible-extract`: the last number of the text. */
export const gsm8kFlexible: ScorerKind = {
  says: 'the last number of the text',
  takes: null,
  make: () => (text, answer) =>
    same(
      said(text)
        .match(/-?[$0-9.,]{2,}|-?[0-9]+/g)
        ?.at(-1),
      answer,
    ),
};
