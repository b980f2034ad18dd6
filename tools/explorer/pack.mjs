// The shipped files that the explorer brings along, as explorer/node/files.ts takes them in.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const jsonIn = (root, folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => `${folder}/${name}`);

/** Paths of the files, from the root of the project. */
export function shippedFiles(root) {
  return [
    'src/model/shapes.json',
    ...jsonIn(root, 'sim/stacks'),
    ...jsonIn(root, 'sim/hardware/profiles'),
    ...['config.json', 'tokenizer.json', 'model.safetensors'].map((name) => `models/tiny-llada/${name}`),
  ];
}

/** gzip of a line of JSON, `[[path, bytes], ...]`, and the files one after the other. */
export function packFiles(root) {
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const files = [['package.json', Buffer.from(JSON.stringify({ name, version }))]];
  for (const path of shippedFiles(root)) files.push([path, readFileSync(join(root, path))]);
  const list = JSON.stringify(files.map(([path, bytes]) => [path, bytes.length]));
  return gzipSync(Buffer.concat([Buffer.from(`${list}\n`), ...files.map(([, bytes]) => bytes)]), { level: 9 });
}
