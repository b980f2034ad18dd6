import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { DataError } from '../../errors.js';
import { atomicWriteFile } from '../../util/atomic-write.js';
import { readJsonAs, readText } from '../../util/read-file.js';
import { type ModelText, tokenizerOrFault, USUAL_TEMPLATE } from '../model-text.js';
import { parseTokenizerJson } from '../tokenizer.js';

const TOKENIZER = 'tokenizer.json';
const SETTINGS = 'tokenizer_config.json';
/** Older ones name `bos_token` and its kind here, and not always in the settings. */
const TOKEN_MAP = 'special_tokens_map.json';
/** Newer versions of transformers keep the template in a file of its own. */
const TEMPLATE = 'chat_template.jinja';

const settingsSchema = z.looseObject({
  chat_template: z
    .union([z.string(), z.array(z.looseObject({ name: z.string(), template: z.string() }))])
    .nullish(),
});

/**
 * What a Hugging Face directory says about text.
 * @throws EnvironmentError for a file that cannot be read; DataError naming what is wrong in it
 */
export function readFolderText(directory: string): ModelText {
  const path = join(directory, TOKENIZER);
  const raw = existsSync(path) ? readText(path) : null;
  const settingsPath = join(directory, SETTINGS);
  const { chat_template: told = null, ...stated } = existsSync(settingsPath)
    ? readJsonAs(settingsPath, settingsSchema)
    : {};
  const mapPath = join(directory, TOKEN_MAP);
  const settings = existsSync(mapPath) ? { ...readJsonAs(mapPath, z.looseObject({})), ...stated } : stated;
  const templates = new Map<string, string>();
  if (typeof told === 'string') templates.set(USUAL_TEMPLATE, told);
  else for (const { name, template } of told ?? []) templates.set(name, template);
  const templatePath = join(directory, TEMPLATE);
  if (existsSync(templatePath)) templates.set(USUAL_TEMPLATE, readText(templatePath));
  const read = tokenizerOrFault(() =>
    raw === null ? refuseOther(directory) : parseTokenizerJson(raw, path),
  );
  return { ...read, raw, settings, templates, gguf: null, label: path };
}

/** Tokenizers of other kinds, by the file that holds them. */
const OTHERS = [
  'tokenizer.model',
  'vocab.json',
  'vocab.txt',
  'spiece.model',
  'tekken.json',
  'tiktoken.model',
];

/** @throws DataError naming a tokenizer that is there and not read */
function refuseOther(directory: string): null {
  const other = OTHERS.find((name) => existsSync(join(directory, name)));
  if (other === undefined) return null;
  throw new DataError(
    `${join(directory, other)}: only ${TOKENIZER} is read: transformers' AutoTokenizer writes one (save_pretrained)`,
  );
}

const addedSchema = z.looseObject({
  added_tokens_decoder: z.record(z.string(), z.looseObject({ content: z.string() })).nullish(),
  added_tokens: z.array(z.looseObject({ id: z.number(), content: z.string() })).nullish(),
});

/**
 * The id of the first added token of a directory's tokenizer with one of these texts.
 * @throws EnvironmentError for a file that cannot be read; DataError naming what is wrong in it
 */
export function addedTokenOf(directory: string, texts: readonly string[]): number | undefined {
  for (const name of [SETTINGS, TOKENIZER]) {
    const path = join(directory, name);
    if (!existsSync(path)) continue;
    const { added_tokens: list, added_tokens_decoder: byId } = readJsonAs(path, addedSchema);
    const tokens = [
      ...(list ?? []),
      ...Object.entries(byId ?? {}).map(([id, { content }]) => ({ id: Number(id), content })),
    ];
    const found = tokens.find(({ content }) => texts.includes(content));
    if (found !== undefined) return found.id;
  }
  return undefined;
}

/**
 * Writes what `readFolderText` reads.
 * @throws EnvironmentError when it cannot be written; DataError for a tokenizer that no `tokenizer.json` can hold
 */
export function writeFolderText(
  directory: string,
  { tokenizer, fault, raw, settings, templates }: ModelText,
): void {
  if (fault !== null && raw === null) throw fault;
  if (tokenizer !== null || raw !== null)
    atomicWriteFile(join(directory, TOKENIZER), raw ?? `${JSON.stringify(tokenizer)}\n`);
  const usual = templates.get(USUAL_TEMPLATE);
  const written =
    templates.size === 1 && usual !== undefined
      ? usual
      : [...templates].map(([name, template]) => ({ name, template }));
  const all = templates.size === 0 ? settings : { ...settings, chat_template: written };
  if (Object.keys(all).length > 0)
    atomicWriteFile(join(directory, SETTINGS), `${JSON.stringify(all, null, 2)}\n`);
}
