import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { project } from '../src/util/project-root.js';
import { readDirectory } from '../src/util/read-file.js';

/** What the page's second script is called. */
export const PACKED = 'files.js';

function jsonIn(folder: string): string[] {
  const names = readDirectory(join(project().root, folder)).filter((name) => name.endsWith('.json'));
  return names.map((name) => `${folder}/${name}`);
}

/**
 * The shipped files that the explorer brings along, as a script that hands them to the page: base64 of gzip of a line of
 * JSON, `[[path, bytes], ...]`, and the files one after the other. `explorer/node/files.ts` takes them in. Made when it is
 * asked for: the package has the files once.
 */
export function packedScript(): string {
  const { root, version } = project();
  const paths = [
    'src/model/shapes.json',
    ...jsonIn('sim/stacks'),
    ...jsonIn('sim/hardware/profiles'),
    ...['config.json', 'tokenizer.json', 'model.safetensors'].map((name) => `models/tiny-llada/${name}`),
  ];
  const files: [string, Buffer][] = [
    ['package.json', Buffer.from(JSON.stringify({ name: 'dllm-npu', version }))],
    ...paths.map((path): [string, Buffer] => [path, readFileSync(join(root, path))]),
  ];
  const list = JSON.stringify(files.map(([path, bytes]) => [path, bytes.length]));
  const packed = gzipSync(Buffer.concat([Buffer.from(`${list}\n`), ...files.map(([, bytes]) => bytes)]), {
    level: 9,
  });
  return `globalThis.dllmNpuFiles=${JSON.stringify(packed.toString('base64'))};\n`;
}
