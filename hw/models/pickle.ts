import { DataError } from '../../src/errors.js';

/** What a pickle calls by module and name. */
export class PickleGlobal {
  constructor(readonly name: string) {}
}

/** What a reader does with the parts of a pickle that are not plain data. */
export interface PickleHooks {
  /** @returns what a known callable makes of its arguments; undefined: not known */
  call(name: string, args: readonly unknown[]): unknown;
  /** What stands outside the pickle under this identity. */
  persistent(id: unknown): unknown;
}

const MARK = Symbol('mark');

/**
 * Reads pickles, one after another, as the standard library's `pickletools` describes their operations: plain data,
 * and nothing else. Callables are looked up by name in what the caller knows; nothing is executed.
 */
export class PickleReader {
  private stack: unknown[] = [];
  private memo = new Map<number, unknown>();

  constructor(
    private readonly bytes: Buffer,
    /** Where the next pickle, or what follows the last, begins. */
    public position: number,
    private readonly label: string,
    private readonly hooks: PickleHooks,
  ) {}

  /** @throws DataError for damage, and for an operation that no plain checkpoint has */
  next(): unknown {
    this.stack = [];
    this.memo = new Map();
    for (;;) {
      const code = this.take(1)[0];
      if (code === 0x2e) return this.pop();
      this.step(code);
    }
  }

  /** The next bytes. @throws DataError when there are not so many */
  take(count: number): Buffer {
    const end = this.position + count;
    if (count < 0 || !Number.isSafeInteger(count) || end > this.bytes.length)
      throw this.damaged('it ends early');
    const taken = this.bytes.subarray(this.position, end);
    this.position = end;
    return taken;
  }

  damaged(reason: string): DataError {
    return new DataError(`${this.label}: the checkpoint cannot be read: ${reason}`);
  }

  private step(code: number): void {
    const { stack } = this;
    switch (code) {
      case 0x80: // PROTO
        this.take(1);
        return;
      case 0x28: // MARK
        stack.push(MARK);
        return;
      case 0x4e: // NONE
        stack.push(null);
        return;
      case 0x88: // NEWTRUE
      case 0x89: // NEWFALSE
        stack.push(code === 0x88);
        return;
      case 0x4b: // BININT1
        stack.push(this.take(1)[0]);
        return;
      case 0x4d: // BININT2
        stack.push(this.take(2).readUInt16LE());
        return;
      case 0x4a: // BININT
        stack.push(this.take(4).readInt32LE());
        return;
      case 0x8a: // LONG1
        stack.push(this.long(this.take(this.take(1)[0])));
        return;
      case 0x47: // BINFLOAT
        stack.push(this.take(8).readDoubleBE());
        return;
      case 0x58: // BINUNICODE
        stack.push(this.take(this.take(4).readUInt32LE()).toString('utf8'));
        return;
      case 0x63: // GLOBAL
        stack.push(new PickleGlobal(`${this.line()}.${this.line()}`));
        return;
      case 0x71: // BINPUT
        this.memo.set(this.take(1)[0], this.top());
        return;
      case 0x72: // LONG_BINPUT
        this.memo.set(this.take(4).readUInt32LE(), this.top());
        return;
      case 0x68: // BINGET
        stack.push(this.remembered(this.take(1)[0]));
        return;
      case 0x6a: // LONG_BINGET
        stack.push(this.remembered(this.take(4).readUInt32LE()));
        return;
      case 0x7d: // EMPTY_DICT
        stack.push(new Map());
        return;
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
        stack.push([]);
        return;
      case 0x74: // TUPLE
        stack.push(this.marked());
        return;
      case 0x85: // TUPLE1, TUPLE2, TUPLE3
      case 0x86:
      case 0x87:
        stack.push(Array.from({ length: code - 0x84 }, () => this.pop()).reverse());
        return;
      case 0x61: // APPEND
        this.append([this.pop()]);
        return;
      case 0x65: // APPENDS
        this.append(this.marked());
        return;
      case 0x73: // SETITEM
        this.set([this.pop(), this.pop()].reverse());
        return;
      case 0x75: // SETITEMS
        this.set(this.marked());
        return;
      case 0x52: // REDUCE
        this.reduce();
        return;
      case 0x62: // BUILD: attributes of an object, which data has no use for
        this.pop();
        return;
      case 0x51: // BINPERSID
        stack.push(this.hooks.persistent(this.pop()));
        return;
      default:
        throw this.damaged(`operation 0x${code.toString(16)} of a pickle is not read here`);
    }
  }

  private reduce(): void {
    const args = this.pop();
    const callee = this.pop();
    if (!(callee instanceof PickleGlobal) || !Array.isArray(args)) throw this.damaged('a call of no name');
    const made = this.hooks.call(callee.name, args);
    if (made === undefined) throw this.damaged(`it names ${callee.name}, which is not called here`);
    this.stack.push(made);
  }

  private append(items: readonly unknown[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw this.damaged('items of no list');
    list.push(...items);
  }

  private set(items: readonly unknown[]): void {
    const map = this.top();
    if (!(map instanceof Map) || items.length % 2 !== 0) throw this.damaged('items of no dictionary');
    for (let at = 0; at < items.length; at += 2) map.set(items[at], items[at + 1]);
  }

  private marked(): unknown[] {
    const at = this.stack.lastIndexOf(MARK);
    if (at < 0) throw this.damaged('no mark');
    const items = this.stack.splice(at);
    return items.slice(1);
  }

  private pop(): unknown {
    if (this.stack.length === 0) throw this.damaged('an empty stack');
    return this.stack.pop();
  }

  private top(): unknown {
    if (this.stack.length === 0) throw this.damaged('an empty stack');
    return this.stack.at(-1);
  }

  private remembered(index: number): unknown {
    if (!this.memo.has(index)) throw this.damaged(`nothing is remembered as ${index}`);
    return this.memo.get(index);
  }

  /** Bytes of a number, lowest first, in two's complement. */
  private long(bytes: Buffer): bigint {
    let value = 0n;
    for (const byte of [...bytes].reverse()) value = (value << 8n) | BigInt(byte);
    return BigInt.asIntN(8 * bytes.length, value);
  }

  private line(): string {
    const end = this.bytes.indexOf(0x0a, this.position);
    if (end < 0) throw this.damaged('it ends early');
    return this.take(end + 1 - this.position)
      .subarray(0, -1)
      .toString('utf8');
  }
}
