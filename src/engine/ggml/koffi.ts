import { createRequire } from 'node:module';
import { EnvironmentError } from '../../errors.js';

/** koffi, an optional dependency: calls C functions from JavaScript. */
export type IKoffi = typeof import('koffi');
export type NativeLibrary = ReturnType<IKoffi['load']>;

/** @throws EnvironmentError when it is not installed or has no build for this machine */
export function loadKoffi(): IKoffi {
  try {
    return createRequire(import.meta.url)('koffi') as IKoffi;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new EnvironmentError(
      `engine ggml needs the optional package koffi (npm install koffi, or use --engine ort): ${reason}`,
    );
  }
}
