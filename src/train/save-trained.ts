import { join } from 'node:path';
import { writeModelGguf } from '../model/formats/convert.js';
import { tokenizerToGguf } from '../model/formats/gguf-tokenizer.js';
import { readTokenizerJson } from '../model/tokenizer.js';
import { atomicWriteFile } from '../util/atomic-write.js';
import { buildTokenizerJson } from './tokenizer-json.js';
import type { TrainedModel } from './train.js';

/**
 * Writes `model.gguf`, `tokenizer.json` and `loss.json` to a directory.
 * @throws EnvironmentError when it cannot be written
 */
export async function saveTrained(
  directory: string,
  { config, weights, losses }: TrainedModel,
): Promise<void> {
  const tokenizerPath = join(directory, 'tokenizer.json');
  atomicWriteFile(tokenizerPath, `${JSON.stringify(buildTokenizerJson())}\n`);
  const tokenizer = tokenizerToGguf(await readTokenizerJson(tokenizerPath), config.vocab, tokenizerPath);
  await writeModelGguf(config, weights, join(directory, 'model.gguf'), 'f32', tokenizer);
  atomicWriteFile(join(directory, 'loss.json'), `${JSON.stringify({ losses })}\n`);
}
