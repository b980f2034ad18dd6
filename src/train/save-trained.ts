import { join } from 'node:path';
import { writeModelGguf } from '../model/formats/convert.js';
import { writeFolderText } from '../model/formats/folder-text.js';
import { textToGguf } from '../model/formats/gguf-text.js';
import { type ModelText, NO_TEXT, USUAL_TEMPLATE } from '../model/model-text.js';
import { parseTokenizerJson } from '../model/tokenizer.js';
import { buildTokenizerJson } from '../score/tokenizer-json.js';
import { atomicWriteFile } from '../util/atomic-write.js';
import type { TrainedModel } from './train.js';

/**
 * Writes `model.gguf`, `tokenizer.json` and `loss.json` to a directory, and `heldout.jsonl` of a task that keeps
 * questions back.
 * @throws EnvironmentError when it cannot be written
 */
export async function saveTrained(
  directory: string,
  { config, weights, losses, task }: TrainedModel,
): Promise<void> {
  const label = 'tokenizer of the task';
  const raw = `${JSON.stringify(task?.tokenizer ?? buildTokenizerJson())}\n`;
  const template = task?.template ?? null;
  const templates = new Map(template === null ? [] : [[USUAL_TEMPLATE, template]]);
  const text: ModelText = { ...NO_TEXT, tokenizer: parseTokenizerJson(raw, label), raw, templates, label };
  writeFolderText(directory, text);
  await writeModelGguf(config, weights, join(directory, 'model.gguf'), 'f32', textToGguf(text, config.vocab));
  const heldOut = task?.heldOut ?? [];
  if (heldOut.length > 0)
    atomicWriteFile(join(directory, 'heldout.jsonl'), heldOut.map((line) => `${line}\n`).join(''));
  atomicWriteFile(join(directory, 'loss.json'), `${JSON.stringify({ losses })}\n`);
}
