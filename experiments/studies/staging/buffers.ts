/** Body of LLaDA-8B in Q4_0, MiB: 32 layers, 6.98 G weights at 4.5 bits. */
export const BODY_MIB = 3744;
/** llama.cpp's Hexagon backend allocates weights in buffers of at most this (`maxBufferBytes` of the stack), MiB. */
export const BUFFER_MIB = 1024;
export const PAGES_PER_MIB = 256;

/** MiB that are mapped anew when a buffer that lacks a byte of its own is mapped whole. */
export function wholeBuffersMib(residentMib: number): number {
  return BUFFER_MIB * Math.ceil((BODY_MIB - residentMib) / BUFFER_MIB);
}

/**
 * Microseconds for a page of 4 KiB to be pinned, entered into the NPU's page table and touched for the first time: assumed, no figure
 * of these phones was published.
 */
export const PAGE_US = [0.1, 2] as const;

/** Ends of the time of a step that maps whole buffers page by page, ms. */
export function wholeBuffersMs(residentMib: number): readonly [low: number, high: number] {
  const pages = PAGES_PER_MIB * wholeBuffersMib(residentMib);
  return [(pages * PAGE_US[0]) / 1000, (pages * PAGE_US[1]) / 1000];
}
