/** What a browser does not have: whoever calls it is told so. */
function absent(): never {
  throw new Error('this needs Node: run dllm-npu on the command line');
}

// By the names under which the library imports them, from node:module, os, child_process, util and zlib. None of the
// explorer's own ways leads to them, but for `createRequire`, by which units beyond the usual ones are looked up.
export const createRequire = () => absent;
export const gunzipSync = absent;
export const gzipSync = absent;
export const spawnSync = absent;
export const isDeepStrictEqual = absent;

// The same of node:fs and node:crypto: all that writes, and what reads a K-quant file by ranges.
export const closeSync = absent;
export const fstatSync = absent;
export const fsyncSync = absent;
export const mkdirSync = absent;
export const openSync = absent;
export const readSync = absent;
export const renameSync = absent;
export const rmSync = absent;
export const writeSync = absent;
export const randomBytes = absent;
