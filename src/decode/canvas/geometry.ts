import type { Canvas, Range } from './types.js';

/** What block arithmetic needs; a `Canvas` and a trace header both have it. */
export interface Geometry {
  readonly promptLength: number;
  readonly genLength: number;
  readonly blockLength: number;
  /** Position at which block 0 begins; default: the first generated one. Before it, every position is cached. */
  readonly blockOrigin?: number;
  /** Positions behind the prompt that the caller gave, masks among them; default: none. */
  readonly given?: number;
}

/** First position of block 0. */
export function blockOrigin({ blockOrigin: origin, promptLength }: Geometry): number {
  return origin ?? promptLength;
}

/** End of the sequence: prompt + generated positions. */
export function totalLength(geometry: Geometry): number {
  return geometry.promptLength + geometry.genLength;
}

export function blockCount(geometry: Geometry): number {
  return Math.ceil((totalLength(geometry) - blockOrigin(geometry)) / geometry.blockLength);
}

/** Block of a position; negative before block 0. */
export function blockOf(geometry: Geometry, position: number): number {
  const origin = blockOrigin(geometry);
  return position < origin ? -1 : Math.floor((position - origin) / geometry.blockLength);
}

/** Positions of a block; the empty range at the end of the sequence for the block after the last. */
export function blockRange(geometry: Geometry, block: number): Range {
  const start = Math.min(blockOrigin(geometry) + block * geometry.blockLength, totalLength(geometry));
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

/** First block, from the current one on, that has undecided positions; the block count when there is none. */
export function firstOpenBlock(canvas: Canvas): number {
  const blocks = blockCount(canvas);
  let { block } = canvas;
  while (block < blocks && maskedInBlock({ ...canvas, block }).length === 0) block++;
  return block;
}

export function isLastBlockDone(canvas: Canvas): boolean {
  return canvas.block >= blockCount(canvas);
}
