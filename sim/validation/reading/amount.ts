/** A count as a table words it: a number to take, and where it may really lie. */
export interface Amount {
  readonly value: number;
  readonly range: readonly [number, number];
  /** How it was read, where the table does not say it plainly; null where it does. */
  readonly note: string | null;
}

const plain = (value: number): Amount => ({ value, range: [value, value], note: null });

const NUMBER = String.raw`(\d[\d,]*(?:\.\d+)?)\s*(k)?`;

function toNumber(digits: string, thousand: string | undefined): number {
  return Number(digits.replaceAll(',', '')) * (thousand === undefined ? 1 : 1024);
}

/** Words for a length, with what they are taken as: nominal, least, most. Assumed; no source defines them. */
const WORDS: readonly (readonly [RegExp, number, number, number])[] = [
  [/\brag\b|document|article|summar|long/i, 1024, 512, 4096],
  [/short|chat|question|simple|hello/i, 24, 8, 128],
];

/**
 * `128`, `1,024`, `4k`, `~1k`, `>=128`, `64+`, `<=4096`, `128-192`, `gen 512`, `pp512`, `512 tokens`, `short`, `RAG prompt`.
 * @returns null where the text says nothing of a length (`n/s`, empty)
 */
export function amountOf(text: string): Amount | null {
  const said = text.trim();
  const match = (pattern: string): RegExpExecArray | null => new RegExp(`^${pattern}$`, 'i').exec(said);
  const tail = String.raw`(?:\s*(?:tokens?|toks?|rows?|positions?|ctx|prompt|context))?`;
  const range = match(`(?:npl=|pp|tg|ctx|gen)?\\s*${NUMBER}\\s*(?:-|\u2013|to|\\.\\.)\\s*${NUMBER}${tail}`);
  if (range !== null) {
    const [low, high] = [toNumber(range[1], range[2] ?? range[4]), toNumber(range[3], range[4])];
    return { value: Math.floor((low + high) / 2), range: [low, high], note: null };
  }
  const generated = match(`gen(?:erat\\w+|erate)?\\s*${NUMBER}${tail}`);
  if (generated !== null) return plain(Math.floor(toNumber(generated[1], generated[2]) / 2));
  const least =
    match(`(?:>=|>|\u2265|over|at least)\\s*${NUMBER}${tail}`) ?? match(`${NUMBER}\\s*\\+${tail}`);
  if (least !== null) {
    const low = toNumber(least[1], least[2]);
    return {
      value: Math.round(1.5 * low),
      range: [low, 4 * low],
      note: `"${said}" taken as 1.5 times ${low}, up to 4 times`,
    };
  }
  const most = match(`(?:<=|<|\u2264|up to|max\\.?)\\s*${NUMBER}${tail}`);
  if (most !== null) {
    const high = toNumber(most[1], most[2]);
    return { value: Math.floor(high / 2), range: [0, high], note: `"${said}" taken as half of it` };
  }
  const about = match(`(?:~|about|approx\\.?|ca\\.?)\\s*${NUMBER}${tail}`);
  if (about !== null) {
    const value = Math.round(toNumber(about[1], about[2]));
    return { value, range: [Math.floor(0.8 * value), Math.ceil(1.25 * value)], note: null };
  }
  const exact = match(`(?:pp|tg|n=|npl\\s*=?|batch\\s*=?|ctx\\s*=?|context|prompt)?\\s*${NUMBER}${tail}`);
  if (exact !== null) return plain(Math.round(toNumber(exact[1], exact[2])));
  const word = WORDS.find(([pattern]) => pattern.test(said));
  if (word === undefined) return null;
  const [, value, low, high] = word;
  return { value, range: [low, high], note: `"${said}" taken as ${value} tokens` };
}

/** Where a table gives no length at all. */
export function unstated(value: number, low: number, high: number, what: string): Amount {
  return {
    value,
    range: [low, high],
    note: `${what} not stated: ${value} taken, ${low} to ${high} in the range`,
  };
}

/** Prompt and answer of one request: `128+64`, `512/128`, `prompt 512, answer 128`, `pp512 tg128`. */
export function promptAndAnswer(text: string): readonly [number, number] | null {
  const words = /(?:prompt|pp|in(?:put)?)\D{0,3}(\d+)\D+?(?:answer|gen\w*|tg|out(?:put)?)\D{0,3}(\d+)/i.exec(
    text,
  );
  const pair = words ?? /^\s*(\d+)\s*(?:\+|\/|:|in\W+)\s*(\d+)/.exec(text);
  return pair === null ? null : [Number(pair[1]), Number(pair[2])];
}
