// Numbers as people read them.

/** `1.72 s`, `434 ms`, `88 us`. */
export function duration(ms: number): string {
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  if (ms >= 100) return `${ms.toFixed(0)} ms`;
  if (ms >= 0.1) return `${ms.toFixed(1)} ms`;
  return `${(ms * 1000).toFixed(0)} us`;
}

const BYTES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `3.1 GiB`. */
export function bytes(count: number): string {
  let size = count;
  let unit = 0;
  while (size >= 1024 && unit < BYTES.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${unit === 0 || size >= 100 ? size.toFixed(0) : size.toFixed(1)} ${BYTES[unit]}`;
}

/** `1.33 J`. */
export function joules(value: number): string {
  return value >= 100 ? `${value.toFixed(0)} J` : `${value.toPrecision(3)} J`;
}

/** `93 %`. */
export function share(value: number): string {
  return `${Math.round(value * 100)} %`;
}

/** A number as short as it can be without another value. */
export function plain(value: number): string {
  return String(Number(value.toPrecision(6)));
}
