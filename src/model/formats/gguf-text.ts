import { z } from 'zod';
import { DataError } from '../../errors.js';
import { parseAs, parseJson } from '../../util/read-file.js';
import type { ModelConfig } from '../config.js';
import { type ModelText, tokenizerOrFault, USUAL_TEMPLATE } from '../model-text.js';
import { createTokenizer, parseTokenizerJson, type TokenizerJson } from '../tokenizer.js';
import { tokenizerToGguf } from './gguf-tokenizer.js';
import { isSentencePiece, tokenizerFromGguf } from './gguf-tokenizer-read.js';
import type { GgufMetadata, GgufScalar, GgufValue } from './gguf-types.js';
import { preTokenizerName, WHOLE_WORD_NAMES } from './pre-tokenizers.js';

/** `tokenizer.json` whole: GGUF's own key for programs that read it (gguf.md). llama.cpp reads the other keys. */
const WHOLE = 'tokenizer.huggingface.json';
/** `tokenizer_config.json`, for which GGUF has no key. */
const SETTINGS = 'dllm-npu.tokenizer_config';
const TEMPLATE = 'tokenizer.chat_template';
const TEMPLATE_NAMES = 'tokenizer.chat_templates';
const FLAGS = ['add_bos_token', 'add_eos_token'] as const;
const NO_TOKENIZER: GgufValue = { type: 'string', value: 'none' };

/**
 * What a GGUF file says about text.
 * @throws DataError naming file, key and reason
 */
export function readGgufText(metadata: GgufMetadata, arch: ModelConfig['arch'], label: string): ModelText {
  const text = (key: string): string | null => {
    const value = metadata.get(key)?.value;
    return typeof value === 'string' ? value : null;
  };
  const raw = text(WHOLE);
  const settings = text(SETTINGS);
  return {
    ...tokenizerOrFault(() =>
      raw === null ? tokenizerFromGguf(metadata, arch, label) : parseTokenizerJson(raw, `${label}: ${WHOLE}`),
    ),
    raw,
    settings:
      settings === null
        ? statedSettings(metadata)
        : parseAs(parseJson(settings, `${label}: ${SETTINGS}`), z.looseObject({}), `${label}: ${SETTINGS}`),
    templates: ggufTemplates(metadata, label),
    gguf: metadata,
    label,
  };
}

/** Chat templates by name. @throws DataError for one that is no text */
export function ggufTemplates(metadata: GgufMetadata, label: string): ReadonlyMap<string, string> {
  const templates = new Map<string, string>();
  for (const [key, { value }] of metadata) {
    if (key !== TEMPLATE && !key.startsWith(`${TEMPLATE}.`)) continue;
    if (typeof value !== 'string') throw new DataError(`${label}: ${key} is no text`);
    templates.set(key.slice(TEMPLATE.length + 1) || USUAL_TEMPLATE, value);
  }
  return templates;
}

/** Whether a file holds a `tokenizer.json` whole. */
export function hasWholeTokenizer(metadata: GgufMetadata): boolean {
  return metadata.has(WHOLE);
}

/** What the keys of llama.cpp say of a `tokenizer_config.json`. */
function statedSettings(metadata: GgufMetadata): Record<string, unknown> {
  const tokens = metadata.get('tokenizer.ggml.tokens')?.value;
  const settings: Record<string, unknown> = {};
  // llama.cpp begins these with the start of text, unless the file says otherwise.
  const pre = metadata.get('tokenizer.ggml.pre')?.value;
  const starts = typeof pre === 'string' && WHOLE_WORD_NAMES.includes(pre);
  if (starts || isSentencePiece(metadata)) settings.add_bos_token = true;
  for (const flag of FLAGS) {
    const value = metadata.get(`tokenizer.ggml.${flag}`)?.value;
    if (value !== undefined) settings[flag] = value;
  }
  for (const name of ['bos', 'eos'] as const) {
    const id = metadata.get(`tokenizer.ggml.${name}_token_id`)?.value;
    const token = Array.isArray(tokens) && typeof id === 'number' ? tokens[id] : undefined;
    if (token !== undefined) settings[`${name}_token`] = token;
  }
  return settings;
}

/**
 * The entries of a GGUF file that say about text what `text` says. A tokenizer that llama.cpp has no name for is there
 * for this project alone: llama.cpp finds none, rather than one that gives other ids.
 * @param vocab rows of the embedding
 * @throws DataError for tokens that no such file can hold
 */
export function textToGguf(text: ModelText, vocab: number): Map<string, GgufValue> {
  const entries = new Map(
    [...(text.gguf ?? [])].filter(([key]) => key.startsWith('tokenizer.') || key === SETTINGS),
  );
  if (text.gguf === null) describe(text, vocab, entries);
  if (text.raw !== null) entries.set(WHOLE, { type: 'string', value: text.raw });
  // Empty ones too: else the keys of llama.cpp would be asked, which say more than the folder did.
  if (text.raw !== null) entries.set(SETTINGS, { type: 'string', value: JSON.stringify(text.settings) });
  const names: GgufScalar[] = [];
  for (const [name, template] of text.templates) {
    const usual = name === USUAL_TEMPLATE;
    entries.set(usual ? TEMPLATE : `${TEMPLATE}.${name}`, { type: 'string', value: template });
    if (!usual) names.push(name);
  }
  if (names.length > 0) entries.set(TEMPLATE_NAMES, { type: 'array', element: 'string', value: names });
  return entries;
}

/** The keys of llama.cpp for the text of a folder. */
function describe(text: ModelText, vocab: number, entries: Map<string, GgufValue>): void {
  const { tokenizer, settings, label } = text;
  const pre = tokenizer === null ? null : preTokenizerName(tokenizer);
  const merges = tokenizer?.model.merges.length ?? 0;
  // llama.cpp reads no encoding without merges.
  if (tokenizer === null || pre === null || merges === 0) entries.set('tokenizer.ggml.model', NO_TOKENIZER);
  else for (const [key, value] of tokenizerToGguf(tokenizer, pre, vocab, label)) entries.set(key, value);
  const added = tokenizer === null ? null : framing(tokenizer, settings, label);
  for (const flag of FLAGS) {
    const value = settings[flag] ?? added?.[flag];
    if (typeof value === 'boolean') entries.set(`tokenizer.ggml.${flag}`, { type: 'bool', value });
  }
}

/** What a tokenizer puts around a text, as llama.cpp's flags; null where it cannot be used. */
function framing(json: TokenizerJson, settings: ModelText['settings'], label: string) {
  try {
    const tokenizer = createTokenizer(json, label, settings);
    const [plain, whole] = [tokenizer.encode('a'), tokenizer.encode('a', { addSpecial: true })];
    return { add_bos_token: whole[0] !== plain[0], add_eos_token: whole.at(-1) !== plain.at(-1) };
  } catch (error) {
    if (error instanceof DataError) return null;
    throw error;
  }
}
