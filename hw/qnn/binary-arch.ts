import { closeSync, openSync, readSync } from 'node:fs';
import type { Evidence } from '../record/evidence.js';

/** Enough for the header of either format; a PE header lies where byte 0x3c says, in practice within the first page. */
const HEADER_BYTES = 4096;
const ELF_MACHINES: Readonly<Record<number, Evidence['targetArch']>> = { 62: 'x64', 183: 'arm64' };
const PE_MACHINES: Readonly<Record<number, Evidence['targetArch']>> = { 34404: 'x64', 43620: 'arm64' };

/**
 * Architecture that a shared library was built for, from its ELF or PE header; null when it is neither. The loader calls
 * a library of another architecture a missing file.
 */
export function binaryArch(path: string): Evidence['targetArch'] | null {
  const header = Buffer.alloc(HEADER_BYTES);
  const file = openSync(path, 'r');
  const length = readSync(file, header, 0, HEADER_BYTES, 0);
  closeSync(file);
  if (length > 20 && header.readUInt32BE(0) === 0x7f454c46)
    return ELF_MACHINES[header.readUInt16LE(18)] ?? 'other';
  if (length < 64 || header.toString('latin1', 0, 2) !== 'MZ') return null;
  const at = header.readUInt32LE(0x3c);
  if (at + 6 > length || header.toString('latin1', at, at + 4) !== 'PE\0\0') return null;
  return PE_MACHINES[header.readUInt16LE(at + 4)] ?? 'other';
}
