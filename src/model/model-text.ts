import { DataError } from '../errors.js';
import type { GgufMetadata } from './formats/gguf-types.js';
import type { TokenizerJson } from './tokenizer.js';

/** What the files of a model say about text: what a conversion carries. */
export interface ModelText {
  /** `tokenizer.json`; null without one, or without one that can be used. */
  readonly tokenizer: TokenizerJson | null;
  /** Why the tokenizer that is there cannot be used: it blocks text and nothing else. */
  readonly fault: DataError | null;
  /** The same to the letter, where it was read as such. */
  readonly raw: string | null;
  /** `tokenizer_config.json` without the templates in it. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Jinja chat templates by name; the usual one is `default`. */
  readonly templates: ReadonlyMap<string, string>;
  /** Metadata of the GGUF file it comes from; null of a folder. */
  readonly gguf: GgufMetadata | null;
  /** What errors call the tokenizer. */
  readonly label: string;
}

/** Name of the template that is meant where none is named. */
export const USUAL_TEMPLATE = 'default';

/** A tokenizer, or what is wrong with it. @throws whatever is no DataError */
export function tokenizerOrFault(read: () => TokenizerJson | null): Pick<ModelText, 'tokenizer' | 'fault'> {
  try {
    return { tokenizer: read(), fault: null };
  } catch (error) {
    if (error instanceof DataError) return { tokenizer: null, fault: error };
    throw error;
  }
}

/** The text of a model that has none. */
export const NO_TEXT: ModelText = {
  tokenizer: null,
  fault: null,
  raw: null,
  settings: {},
  templates: new Map(),
  gguf: null,
  label: 'no tokenizer',
};
