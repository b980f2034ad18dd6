import wasm from 'virtual:wasm';
import { bytesOfBase64 } from './base64.js';

/**
 * Stands for src/engine/tfjs/wasm-place.ts: the file as an address made here. tfjs wants an address for each of its builds
 * and fetches one: that for SIMD, which every browser has that can run the rest of the page; threads are off.
 */
export function wasmPlace(): Record<string, string> {
  const address = URL.createObjectURL(new Blob([bytesOfBase64(wasm)], { type: 'application/wasm' }));
  const builds = ['', '-simd', '-threaded-simd'];
  return Object.fromEntries(builds.map((build) => [`tfjs-backend-wasm${build}.wasm`, address]));
}
