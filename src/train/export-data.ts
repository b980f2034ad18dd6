import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { generateProblem, LIMITS, type ProblemSet, type Split } from '../score/problems.js';
import { buildTokenizerJson, WordTable } from '../score/tokenizer-json.js';
import { END_ID, MASK_ID } from '../score/vocabulary.js';

export interface ExportOptions {
  directory: string;
  seed: number;
  set: ProblemSet;
  split: Split;
  count: number;
  first?: number;
}

/**
 * Writes problems as token ids for the PyTorch recipe: `<set>-<split>.tokens.u16` (prompt then
 * response, problem after problem), `.index.u32` (prompt length and response length per problem),
 * `meta.json`, and `tokenizer.json`.
 */
export function exportTrainingData(options: ExportOptions): void {
  const { directory, seed, set, split, count, first = 0 } = options;
  mkdirSync(directory, { recursive: true });
  const tokenizer = buildTokenizerJson();
  const table = new WordTable(tokenizer);
  const index = new Uint32Array(2 * count);
  const file = openSync(join(directory, `${set}-${split}.tokens.u16`), 'w');
  let pending: number[] = [];
  const flush = (): void => {
    writeSync(file, new Uint8Array(Uint16Array.from(pending).buffer));
    pending = [];
  };
  for (let i = 0; i < count; i++) {
    const problem = generateProblem(seed, first + i, set, split);
    const prompt = table.encodePrompt(problem.prompt);
    const response = table.encode(problem.response);
    index.set([prompt.length, response.length], 2 * i);
    pending.push(...prompt, ...response);
    if (pending.length > 1 << 16) flush();
  }
  flush();
  closeSync(file);
  writeFileSync(join(directory, `${set}-${split}.index.u32`), new Uint8Array(index.buffer));
  const meta = {
    vocab_size: table.size,
    mask_id: MASK_ID,
    end_id: END_ID,
    word_ids: table.wordIds(),
    seed,
    limits: LIMITS,
  };
  writeFileSync(join(directory, 'meta.json'), JSON.stringify(meta));
  writeFileSync(join(directory, 'tokenizer.json'), JSON.stringify(tokenizer, null, 1));
}
