/** Where the shipped files lie for the program that runs in a browser. */
export const ROOT = '/dllm-npu';

const files = new Map<string, Uint8Array>();

/**
 * Takes in the shipped files: gzip of a line of JSON, `[[path, bytes], ...]`, and the files one after the other. The
 * other end is `packedScript` in cli/explorer-files.ts.
 */
export async function mountFiles(packed: ArrayBuffer): Promise<void> {
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  const bytes = new Uint8Array(await new Response(unpacked).arrayBuffer());
  const end = bytes.indexOf(10);
  const list = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))) as [string, number][];
  let at = end + 1;
  for (const [path, length] of list) {
    files.set(`${ROOT}/${path}`, bytes.subarray(at, at + length));
    at += length;
  }
  if (at !== bytes.length) throw new Error('the shipped files are damaged: build the explorer again');
}

/** Content of a file. @throws as the file system does, for what is not there */
export function contentOf(path: string): Uint8Array {
  const found = files.get(path);
  if (found !== undefined) return found;
  throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' });
}

export function isFile(path: string): boolean {
  return files.has(path);
}

/** Names directly in a directory, sorted; empty where there is none. */
export function namesIn(path: string): string[] {
  const prefix = path.endsWith('/') ? path : `${path}/`;
  const below = [...files.keys()].filter((file) => file.startsWith(prefix));
  return [...new Set(below.map((file) => file.slice(prefix.length).split('/')[0]))].sort();
}
