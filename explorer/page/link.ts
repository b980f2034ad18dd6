// A link holds the settings that are compared, as JSON of what differs from the defaults.

/** The part of an address behind `#`. */
export function linkOf(settings: readonly unknown[]): string {
  return `#${encodeURIComponent(JSON.stringify(settings))}`;
}

/**
 * The settings of an address, not checked yet; null without any.
 * @throws Error for what is no list of settings
 */
export function settingsIn(hash: string): readonly unknown[] | null {
  if (hash.length < 2) return null;
  let list: unknown;
  try {
    list = JSON.parse(decodeURIComponent(hash.slice(1)));
  } catch {
    throw new Error('this link was cut or changed: it holds no settings');
  }
  if (!Array.isArray(list) || list.length === 0 || list.length > MOST_SETTINGS)
    throw new Error(`a link holds one to ${MOST_SETTINGS} settings`);
  return list;
}

/** Settings side by side. */
export const MOST_SETTINGS = 4;
/** What they are called. */
export const LETTERS = ['A', 'B', 'C', 'D'] as const;
