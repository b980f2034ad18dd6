const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Bytes as people read them, three digits: `3.13 GiB`, `27 MiB`, `512 B`. */
export function bytesText(bytes: number): string {
  let [value, at] = [Math.abs(bytes), 0];
  // 1023.5 KiB with three digits would read 1.02e+3 KiB.
  while (at < UNITS.length - 1 && value >= (at === 0 ? 1024 : 999.5)) {
    value /= 1024;
    at += 1;
  }
  const text = at === 0 ? String(value) : String(Number(value.toPrecision(3)));
  return `${bytes < 0 ? '-' : ''}${text} ${UNITS[at]}`;
}
