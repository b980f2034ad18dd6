/** A count as a table words it: a number to take, and where it may really lie. */
export interface Amount {
  readonly value: number;
  readonly range: readonly [number, number];
  /** How it was read, where the table does not say it plainly; null where it does. */
  readonly note: string | null;
}

/** A length that is known. */
export function exactly(value: number): Amount {
  return { value, range: [value, value], note: null };
}

/** A number with thousands and a factor, without a group for the digits' meaning. */
const NUMBER = String.raw`(\d[\d,]*(?:\.\d+)?)\s*(k)?`;

/** What stands before a count. */
const LABEL = [
  'npl|n_?ctx|ctx(?:[ _-]?size)?|cl|context(?:[ _-](?:length|len|window|size))?',
  'seq(?:uence)?(?:[ _-]?len(?:gth)?)?|(?:prompt|input)(?:[ _-](?:length|len|size|tokens?))?|n_?prompt|isl',
  'len(?:gth)?|depth|prefill(?:ed)?|kv(?:[ _-]?(?:cache|len(?:gth)?))?|nkv|n_?gen|pp|tg|batch(?:[ _-]?size)?|bs',
].join('|');
/** The same in letters that mean something else inside a sentence. */
const LETTER = 'l|d|b|m|n';

/** What stands behind one. */
const TAIL = `(?:[ -]*(?:in|generated|output|input|prefill|decode|prompt|cached|text)?[ -]*(?:tokens?|toks?|rows?|positions?|ctx|context|prompt|words?)?)`;

function toNumber(digits: string, thousand: string | undefined): number {
  return Number(digits.replaceAll(',', '')) * (thousand === undefined ? 1 : 1024);
}

/** Words for a length, with what they are taken as: nominal, least, most. Assumed; no source defines them. */
const WORDS: readonly (readonly [RegExp, number, number, number])[] = [
  [/^(empty|fresh|zero|no (context|history)|cold)( (context|cache|kv))?$/i, 0, 0, 0],
  [/\brag\b|document|article|summar|long/i, 1024, 512, 4096],
  [/short|chat|question|simple|hello/i, 24, 8, 128],
];

/**
 * `128`, `1,024`, `4k`, `~1k`, `>=128`, `64+`, `<=4096`, `128-192`, `gen 512`, `pp512`, `ctx=2048`, `64 / 256 / 1024`, `short`,
 * `RAG prompt`, and a count inside a sentence: `short prompt (128 tokens)`, `tg128 (fa=1)`.
 * @returns null where the text says nothing of a length (`n/s`, empty)
 */
export function amountOf(text: string): Amount | null {
  const said = text.trim();
  return plainAmount(said) ?? listed(said) ?? inSentence(said) ?? worded(said);
}

function plainAmount(said: string): Amount | null {
  const match = (pattern: string): RegExpExecArray | null => new RegExp(`^${pattern}$`, 'i').exec(said);
  const label = `(?:(?:${LABEL}|${LETTER})\\s*[=:]?\\s*)?`;
  const range = match(
    `(?:gen|${label})\\s*${NUMBER}\\s*(?:-|\u2013|to|\\.\\.|\u2192|->)\\s*${NUMBER}${TAIL}`,
  );
  if (range !== null) {
    const [low, high] = [toNumber(range[1], range[2] ?? range[4]), toNumber(range[3], range[4])];
    return { value: Math.floor((low + high) / 2), range: [low, high], note: null };
  }
  const generated = match(`gen(?:erat\\w+|erate)?\\s*${NUMBER}${TAIL}`);
  if (generated !== null) return exactly(Math.floor(toNumber(generated[1], generated[2]) / 2));
  const least =
    match(`${label}(?:>=|>|\u2265|over|at least)\\s*${NUMBER}${TAIL}`) ??
    match(`${label}${NUMBER}\\s*\\+${TAIL}`);
  if (least !== null) {
    const low = toNumber(least[1], least[2]);
    return {
      value: Math.round(1.5 * low),
      range: [low, 4 * low],
      note: `"${said}" taken as 1.5 times ${low}, up to 4 times`,
    };
  }
  const most = match(`${label}(?:<=|<|\u2264|up to|max\\.?)\\s*${NUMBER}${TAIL}`);
  if (most !== null) {
    const high = toNumber(most[1], most[2]);
    return { value: Math.floor(high / 2), range: [0, high], note: `"${said}" taken as half of it` };
  }
  const about = match(`${label}(?:~|\u2248|about|approx\\.?|ca\\.?|c\\.)\\s*${NUMBER}${TAIL}`);
  if (about !== null) {
    const value = Math.round(toNumber(about[1], about[2]));
    return { value, range: [Math.floor(0.8 * value), Math.ceil(1.25 * value)], note: null };
  }
  const exact = match(`${label}${NUMBER}${TAIL}`);
  return exact === null ? null : exactly(Math.round(toNumber(exact[1], exact[2])));
}

/** Several lengths for one number: the middle one, all of them in the range. */
function listed(said: string): Amount | null {
  if (!/^\d+\s*k?(\s*[/,;]\s*\d+\s*k?){2,}$/i.test(said)) return null;
  const each = said.split(/[/,;]/).map((part) => {
    const [, digits = '', thousand] = /(\d+)\s*(k)?/i.exec(part) ?? [];
    return toNumber(digits, thousand);
  });
  const sorted = [...each].sort((a, b) => a - b);
  const value = sorted[(sorted.length - 1) >> 1];
  return {
    value,
    range: [sorted[0], sorted[sorted.length - 1]],
    note: `"${said}" taken as ${value}, all of them in the range`,
  };
}

/** The first count that says of what it is one. */
function inSentence(said: string): Amount | null {
  const counted = new RegExp(`(?<![\\w.])${NUMBER}[ -]*(?:text )?(?:tokens?|toks?|positions?)\\b`, 'i').exec(
    said,
  );
  const labelled = new RegExp(`\\b(?:${LABEL})\\s*[=:]?\\s*${NUMBER}(?![\\w.])`, 'i').exec(said);
  const found = counted ?? labelled;
  if (found === null) return null;
  const value = Math.round(toNumber(found[1], found[2]));
  return { value, range: [value, value], note: `"${said}" taken as ${value}` };
}

function worded(said: string): Amount | null {
  const word = WORDS.find(([pattern]) => pattern.test(said));
  if (word === undefined) return null;
  const [, value, low, high] = word;
  return { value, range: [low, high], note: high === 0 ? null : `"${said}" taken as ${value} tokens` };
}

/** Where a table gives no length at all. */
export function unstated(value: number, low: number, high: number, what: string): Amount {
  return {
    value,
    range: [low, high],
    note: `${what} not stated: ${value} taken, ${low} to ${high} in the range`,
  };
}

/** Positions before the measured ones, as llama-bench writes them: `pp512 @ d2048`. */
export function depthOf(text: string): number | null {
  const found = new RegExp(`(?:@\\s*d?|\\bdepth\\s*[=:]?)\\s*${NUMBER}(?![\\w.])`, 'i').exec(text);
  return found === null ? null : toNumber(found[1], found[2]);
}

const IN = String.raw`\b(?:prompts?|pp(?=\s*=?\s*\d)|in(?:puts?)?(?![a-z])|isl|prefill)`;
const OUT = String.raw`\b(?:answers?|gen\w*|tg(?=\s*=?\s*\d)|out(?:puts?)?(?![a-z])|osl|new|responses?|decode)`;

/** Prompt and answer of one request: `128+64`, `512/128`, `prompt 512, answer 128`, `pp512 tg128`, `512 in, 128 out`, `1k -> 128`. */
export function promptAndAnswer(text: string): readonly [number, number] | null {
  const pair =
    new RegExp(`${IN}\\D{0,12}?${NUMBER}\\D+?${OUT}\\D{0,12}?${NUMBER}(?!\\d)`, 'i').exec(text) ??
    new RegExp(
      `(?<![\\w.])${NUMBER}[ -]*(?:tokens? )?(?:of )?${IN}\\D+?${NUMBER}[ -]*(?:tokens? )?(?:of )?${OUT}`,
      'i',
    ).exec(text) ??
    new RegExp(`^\\s*\\(?${NUMBER}\\s*(?:\\+|/|:|\u2192|->|in\\W+)\\s*${NUMBER}(?!\\s*[/\\d])`, 'i').exec(
      text,
    );
  return pair === null ? null : [toNumber(pair[1], pair[2]), toNumber(pair[3], pair[4])];
}
