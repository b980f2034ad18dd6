import { DataError } from '../../errors.js';
import type { ByteFile } from './byte-file.js';
import { type GgufScalar, SCALAR_BYTES, type ScalarType } from './gguf-types.js';

const WINDOW_BYTES = 1 << 20;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads little-endian values one after the other through a window, never past the end of the file. */
export class GgufCursor {
  private window: Uint8Array = new Uint8Array(0);
  private view: DataView = new DataView(new ArrayBuffer(0));
  private windowStart = 0;
  private at = 0;

  constructor(private readonly file: ByteFile) {}

  get offset(): number {
    return this.windowStart + this.at;
  }

  get remaining(): number {
    return this.file.size - this.offset;
  }

  async u32(what: string): Promise<number> {
    await this.need(4, what);
    const value = this.view.getUint32(this.at, true);
    this.at += 4;
    return value;
  }

  /** A u64 that is a count, size or offset. @throws DataError when it is not below 2^53 */
  async count(what: string): Promise<number> {
    await this.need(8, what);
    return this.takeCount(what);
  }

  private takeCount(what: string): number {
    const { view, at } = this;
    // No BigInt where it is not needed: a vocabulary has a length for every word.
    const value = view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
    if (value > Number.MAX_SAFE_INTEGER)
      throw new DataError(`${this.file.path}: ${what} is ${view.getBigUint64(at, true)}`);
    this.at += 8;
    return value;
  }

  /** @param limit greatest length in bytes */
  async string(what: string, limit = Number.MAX_SAFE_INTEGER): Promise<string> {
    const length = await this.count(`length of ${what}`);
    if (length > limit || length > this.remaining) {
      const bound = Math.min(limit, this.remaining);
      throw new DataError(`${this.file.path}: ${what} claims ${length} bytes, at most ${bound} are possible`);
    }
    await this.need(length, what);
    return this.takeText(length, what);
  }

  /** Passes over `count` strings, of which only the lengths are looked at. */
  async passStrings(count: number, what: string): Promise<void> {
    if (count * SCALAR_BYTES.string > this.remaining)
      throw new DataError(`${this.file.path}: ${what} claims ${count} elements, the file ends before`);
    for (let i = 0; i < count; i++) {
      if (this.window.length - this.at < 8) await this.need(8, `length of ${what}`);
      const length = this.takeCount(`length of ${what}`);
      if (length > this.remaining)
        throw new DataError(
          `${this.file.path}: ${what} claims ${length} bytes, at most ${this.remaining} are possible`,
        );
      if (length <= this.window.length - this.at) this.at += length;
      else {
        this.windowStart = this.offset + length;
        this.window = new Uint8Array(0);
        this.at = 0;
      }
    }
  }

  private takeText(length: number, what: string): string {
    const bytes = this.window.subarray(this.at, this.at + length);
    this.at += length;
    try {
      return UTF8.decode(bytes);
    } catch {
      throw new DataError(`${this.file.path}: ${what} is not UTF-8`);
    }
  }

  async scalar(type: ScalarType, what: string): Promise<GgufScalar> {
    if (type === 'string') return this.string(what);
    await this.need(SCALAR_BYTES[type], what);
    return this.takeScalar(type, what);
  }

  private takeScalar(type: Exclude<ScalarType, 'string'>, what: string): GgufScalar {
    const value = this.take(type);
    if (type === 'bool' && typeof value === 'number')
      throw new DataError(`${this.file.path}: ${what} is no boolean`);
    return value;
  }

  /** `count` values of one type. The count is checked against the bytes left before anything is allocated. */
  async scalars(type: ScalarType, count: number, what: string): Promise<GgufScalar[]> {
    if (count * SCALAR_BYTES[type] > this.remaining) {
      throw new DataError(`${this.file.path}: ${what} claims ${count} elements, the file ends before`);
    }
    const values: GgufScalar[] = [];
    while (values.length < count)
      values.push(this.scalarAtHand(type, what) ?? (await this.scalar(type, what)));
    return values;
  }

  /** The next value where the window holds all of it: waiting for each of 10^5 words takes longer than reading them. */
  private scalarAtHand(type: ScalarType, what: string): GgufScalar | undefined {
    const left = this.window.length - this.at;
    if (left < SCALAR_BYTES[type]) return undefined;
    if (type !== 'string') return this.takeScalar(type, what);
    const length = this.view.getUint32(this.at, true);
    if (this.view.getUint32(this.at + 4, true) !== 0 || length > left - 8) return undefined;
    this.at += 8;
    return this.takeText(length, what);
  }

  private take(type: Exclude<ScalarType, 'string'>): GgufScalar {
    const { view, at } = this;
    this.at += SCALAR_BYTES[type];
    switch (type) {
      case 'u8':
        return view.getUint8(at);
      case 'i8':
        return view.getInt8(at);
      case 'u16':
        return view.getUint16(at, true);
      case 'i16':
        return view.getInt16(at, true);
      case 'u32':
        return view.getUint32(at, true);
      case 'i32':
        return view.getInt32(at, true);
      case 'f32':
        return view.getFloat32(at, true);
      case 'u64':
        return view.getBigUint64(at, true);
      case 'i64':
        return view.getBigInt64(at, true);
      case 'f64':
        return view.getFloat64(at, true);
      case 'bool': {
        const byte = view.getUint8(at);
        return byte > 1 ? byte : byte === 1;
      }
    }
  }

  /** Makes the next `bytes` bytes available in the window. */
  private async need(bytes: number, what: string): Promise<void> {
    if (this.at + bytes <= this.window.length) return;
    const start = this.offset;
    const length = Math.max(bytes, Math.min(WINDOW_BYTES, this.file.size - start));
    this.window = await this.file.read(start, length, what);
    this.view = new DataView(this.window.buffer, this.window.byteOffset, this.window.byteLength);
    this.windowStart = start;
    this.at = 0;
  }
}
