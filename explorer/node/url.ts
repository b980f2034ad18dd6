import { ROOT } from './files.js';

/** The program has no file of its own: it stands at the root of the shipped ones. */
export function fileURLToPath(_url: string | undefined): string {
  return `${ROOT}/index.js`;
}
