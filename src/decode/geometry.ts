import type { Canvas, Range } from './types.js';

/** What block arithmetic needs; a `Canvas` and a trace header both have it. */
export interface Geometry {
  readonly promptLength: number;
  readonly genLength: number;
  readonly blockLength: number;
}

/** End of the sequence: prompt + generated positions. */
export function totalLength(geometry: Geometry): number {
  return geometry.promptLength + geometry.genLength;
}

export function blockCount(geometry: Geometry): number {
  return geometry.genLength / geometry.blockLength;
}

/** Block of a generated position; negative for the prompt. */
export function blockOf(geometry: Geometry, position: number): number {
  return position < geometry.promptLength
    ? -1
    : Math.floor((position - geometry.promptLength) / geometry.blockLength);
}

/** Positions of a block; the empty range at the end of the sequence for the block after the last. */
export function blockRange(geometry: Geometry, block: number): Range {
  const start = Math.min(geometry.promptLength + block * geometry.blockLength, totalLength(geometry));
  return { start, end: Math.min(start + geometry.blockLength, totalLength(geometry)) };
}

export function contains(range: Range, position: number): boolean {
  return position >= range.start && position < range.end;
}

export function positionsOf(range: Range): number[] {
  return Array.from({ length: Math.max(0, range.end - range.start) }, (_, index) => range.start + index);
}

/** M or IV: no concrete token yet. */
export function isUndecided(canvas: Canvas, position: number): boolean {
  const { state } = canvas.positions[position];
  return state === 'M' || state === 'IV';
}

/** Undecided positions of the current block. */
export function maskedInBlock(canvas: Canvas): number[] {
  return positionsOf(blockRange(canvas, canvas.block)).filter((position) => isUndecided(canvas, position));
}

export function isLastBlockDone(canvas: Canvas): boolean {
  return canvas.block >= blockCount(canvas);
}
