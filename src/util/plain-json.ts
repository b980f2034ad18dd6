/** Levels of lists and objects in one another. What is written here has ten; who walks a value needs a bound. */
const DEEPEST = 100;

/**
 * A value of a JSON text that anybody may have written: what reads, compares and copies it afterwards calls itself for every level, and
 * thousands of brackets would end it without a word for the user.
 * @throws SyntaxError for no JSON, or a nesting of more than a hundred levels
 */
export function plainJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (isDeeper(value, DEEPEST)) throw new SyntaxError(`nested more than ${DEEPEST} levels deep`);
  return value;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) return value.some((item) => isDeeper(item, levels - 1));
  const entries = value as Readonly<Record<string, unknown>>;
  for (const key in entries) if (isDeeper(entries[key], levels - 1)) return true;
  return false;
}
