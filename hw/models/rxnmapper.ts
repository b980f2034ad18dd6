import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '../../src/errors.js';
import { atomicWriteFile } from '../../src/util/atomic-write.js';
import { readJson, readText } from '../../src/util/read-file.js';
import type { FetchableModel } from './fetchable.js';
import { type CheckpointTensor, readTorchCheckpoint } from './torch-checkpoint.js';

const MODEL = 'rxnmapper/models/transformers/albert_heads_8_uspto_all_1310k';
const LICENCE = 'rxnmapper-0.4.3.dist-info/licenses/LICENSE';
/**
 * The tokens of rxnmapper/tokenization_smiles.py (SMI_REGEX_PATTERN), which is Schwaller et al.,
 * doi:10.1021/acscentsci.9b00576.
 */
const SMILES = String.raw`\[[^\]]+]|Br?|Cl?|N|O|S|P|F|I|b|c|n|o|s|p|\(|\)|\.|=|#|-|\+|\\|\/|:|~|@|\?|>>?|\*|\$|\%[0-9]{2}|[0-9]`;
/** In the file, in no logits. */
const UNUSED = ['albert.embeddings.position_ids', 'albert.pooler.'];
/** The head's bias stands in the file twice. */
const BIAS = 'predictions.bias';
const BIAS_AGAIN = 'predictions.decoder.bias';
const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];

/** rxnmapper's ALBERT (MIT): a masked language model of chemical reactions. */
export const rxnmapper: FetchableModel = {
  says: 'masked language model over SMILES (ALBERT, 0.7 M parameters, MIT), from the Python package rxnmapper',
  wheel: {
    package: 'rxnmapper',
    version: '0.4.3',
    sha256: '27876a4286881aafd286fd6f24a6a56a4ca6ba22d68e035a0ea120106c541ba5',
    megabytes: 2.9,
  },
  members: `(${MODEL}/(pytorch_model\\.bin|config\\.json|vocab\\.txt)|${LICENCE})`,
  model: '',
  marker: 'config.json',
  install(unpacked, folder) {
    const file = (name: string): string => join(unpacked, MODEL, name);
    const vocabulary = readText(file('vocab.txt')).replace(/\n$/, '').split('\n');
    const ids = Object.fromEntries(vocabulary.map((token, id) => [token, id]));
    const tensors = usedTensors(readTorchCheckpoint(readFileSync(file('pytorch_model.bin')), 'rxnmapper'));
    copyFileSync(join(unpacked, LICENCE), join(folder, 'LICENSE'));
    writeFileSync(join(folder, 'model.safetensors'), safetensors(tensors));
    atomicWriteFile(join(folder, 'tokenizer.json'), `${JSON.stringify(tokenizer(ids), null, 1)}\n`);
    // The text starts and ends with tokens that the original's tokenizer adds; its configuration names none of them.
    const { eos_token_ids: _, ...config } = readJson(file('config.json')) as Record<string, unknown>;
    const named = { bos_token_id: ids['[CLS]'], eos_token_id: ids['[SEP]'], mask_token_id: ids['[MASK]'] };
    // Last: a folder with a config.json is a whole one.
    atomicWriteFile(join(folder, 'config.json'), `${JSON.stringify({ ...config, ...named }, null, 1)}\n`);
  },
};

function usedTensors(all: ReadonlyMap<string, CheckpointTensor>): [string, CheckpointTensor][] {
  const again = all.get(BIAS_AGAIN);
  if (again !== undefined && all.get(BIAS)?.bytes.equals(again.bytes) !== true)
    throw new DataError("rxnmapper: the two copies of the head's bias differ");
  return [...all].filter(
    ([name]) => name !== BIAS_AGAIN && !UNUSED.some((unused) => name.startsWith(unused)),
  );
}

/** Bytes as they are: the values are those of the package. The header is spaced as Python's json does, as it always was. */
function safetensors(tensors: readonly (readonly [string, CheckpointTensor])[]): Buffer {
  const entries = ['"__metadata__": {"format": "pt"}'];
  let offset = 0;
  for (const [name, { dtype, shape, bytes }] of tensors) {
    const ends = `[${offset}, ${offset + bytes.length}]`;
    entries.push(
      `${JSON.stringify(name)}: {"dtype": "${dtype}", "shape": [${shape.join(', ')}], "data_offsets": ${ends}}`,
    );
    offset += bytes.length;
  }
  const header = Buffer.from(`{${entries.join(', ')}}`);
  const padding = Buffer.alloc((8 - (header.length % 8)) % 8, ' ');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length + padding.length));
  return Buffer.concat([length, header, padding, ...tensors.map(([, { bytes }]) => bytes)]);
}

/** Whole words of a pattern: a byte-pair encoding without pairs. */
function tokenizer(vocab: Readonly<Record<string, number>>): object {
  const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  const special = Object.entries(vocab).filter(([token]) => SPECIAL.includes(token));
  return {
    version: '1.0',
    added_tokens: special.map(([content, id]) => ({ id, content, special: true, ...plain })),
    normalizer: null,
    pre_tokenizer: { type: 'Split', pattern: { Regex: SMILES }, behavior: 'Isolated', invert: false },
    post_processor: null,
    decoder: { type: 'Fuse' },
    model: { type: 'BPE', unk_token: '[UNK]', ignore_merges: true, vocab, merges: [] },
  };
}
