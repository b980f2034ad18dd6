// Converts the shipped model to GGUF: node tools/make-tiny-gguf.mjs [f32|f16|q8_0|q4_0] (after `npm run build`).
import { join } from 'node:path';
import { convertSafetensorsToGguf } from '../dist/src/model/formats/convert.js';
import { project } from '../dist/src/util/project-root.js';

const quant = process.argv[2] ?? 'f32';
const directory = join(project().root, 'models/tiny-llada');
const out = join(directory, `tiny-llada-${quant}.gguf`);
await convertSafetensorsToGguf(directory, out, quant);
console.log(out);
