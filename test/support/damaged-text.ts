import fc from 'fast-check';

/** Values that a field is rarely asked for. */
export const WILD: readonly unknown[] = [
  ...[null, true, -1, 0, 0.5, 1e308, 2 ** 31, 2 ** 53, '', 'x', '\u0000', '../../etc/passwd', '__proto__'],
  ...[[], {}, [[]], { value: 1 }, ['a', 1], 'a'.repeat(10_000), '1e999 GB/s'],
];

/** A value in so many lists or objects. */
function nested(depth: number, list: boolean): string {
  const [open, close] = list ? ['[', ']'] : ['{"a":', '}'];
  return `${open.repeat(depth)}${list ? '' : '1'}${close.repeat(depth)}`;
}

/** Stands where a deep nesting goes, which would be too deep to be serialised. */
const DEEP = '\u0001deep';

/**
 * A JSON text, or one line of JSON Lines, with one value at any depth replaced by a wild one, a deep nesting or another value of the
 * same text, or with a key left out, added or called otherwise, or a list made longer.
 */
function rewired(text: string, choice: number, other: number, wild: unknown): string {
  const lines = text.split('\n').filter((line) => line !== '');
  const whole = lines.length > 1 && lines.every((line) => line.startsWith('{') && line.endsWith('}'));
  const parts = whole ? lines : [text];
  const at = choice % parts.length;
  let value: unknown;
  try {
    value = JSON.parse(parts[at]);
  } catch {
    return text;
  }
  const changes: (() => void)[] = [];
  const values: unknown[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const parent = node as Record<string, unknown>;
    for (const key of Object.keys(parent)) {
      values.push(parent[key]);
      changes.push(() => {
        parent[key] = wild;
      });
      changes.push(() => {
        parent[key] = structuredClone(values[other % values.length]);
      });
      changes.push(() => {
        parent[key] = DEEP;
      });
      if (!Array.isArray(node)) {
        changes.push(() => delete parent[key]);
        changes.push(() => {
          parent[`${key.slice(0, 1 + (other % 8))}${String(wild).slice(0, 9)}`] = parent[key];
          delete parent[key];
        });
      }
      visit(parent[key]);
    }
    if (Array.isArray(node)) {
      changes.push(() => node.push(...structuredClone(node.slice(0, 1000)), wild));
      changes.push(() => node.splice(other % (node.length + 1)));
    } else changes.push(() => Object.assign(parent, { [String(wild).slice(0, 20)]: wild }));
  };
  visit(value);
  if (changes.length > 0) changes[choice % changes.length]();
  const deep = nested([2, 100, 10_000][other % 3], other % 2 === 0);
  const written = JSON.stringify(value).replace(JSON.stringify(DEEP), deep);
  return parts.map((part, index) => (index === at ? written : part)).join('\n');
}

/** A text with a part cut out, doubled or replaced, its end cut off, or a value of its JSON by another. */
export const damaged = (texts: readonly string[]) =>
  fc
    .record({
      text: fc.constantFrom(...texts),
      structural: fc.boolean(),
      choice: fc.nat(),
      other: fc.nat(),
      wild: fc.constantFrom(...WILD),
      from: fc.double({ min: 0, max: 1, noNaN: true }),
      length: fc.oneof(fc.nat(200), fc.constant(Number.MAX_SAFE_INTEGER)),
      put: fc.oneof(fc.constant(''), fc.string({ unit: 'binary', maxLength: 20 }), fc.constant('again')),
    })
    .map(({ text, structural, choice, other, wild, from, length, put }) => {
      if (structural && /^\s*[[{]/.test(text)) return rewired(text, choice, other, wild);
      const at = Math.floor(from * text.length);
      const cut = text.slice(at, at + length);
      return text.slice(0, at) + (put === 'again' ? cut + cut : put) + text.slice(at + length);
    });
