import { join } from 'node:path';
import { writeModelGguf } from '../model/formats/convert.js';
import { writeFolderText } from '../model/formats/folder-text.js';
import { textToGguf } from '../model/formats/gguf-text.js';
import { type ModelText, NO_TEXT } from '../model/model-text.js';
import { parseTokenizerJson } from '../model/tokenizer.js';
import { buildTokenizerJson } from '../score/tokenizer-json.js';
import { atomicWriteFile } from '../util/atomic-write.js';
import type { TrainedModel } from './train.js';

/**
 * Writes `model.gguf`, `tokenizer.json` and `loss.json` to a directory.
 * @throws EnvironmentError when it cannot be written
 */
export async function saveTrained(
  directory: string,
  { config, weights, losses }: TrainedModel,
): Promise<void> {
  const label = 'tokenizer of the task';
  const raw = `${JSON.stringify(buildTokenizerJson())}\n`;
  const text: ModelText = { ...NO_TEXT, tokenizer: parseTokenizerJson(raw, label), raw, label };
  writeFolderText(directory, text);
  await writeModelGguf(config, weights, join(directory, 'model.gguf'), 'f32', textToGguf(text, config.vocab));
  atomicWriteFile(join(directory, 'loss.json'), `${JSON.stringify({ losses })}\n`);
}
