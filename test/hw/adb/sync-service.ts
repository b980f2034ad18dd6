import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  type Stats,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Channel } from './channel.js';
import { Cutter } from './packets.js';

const CHUNK = 64 * 1024;
/** errno values of the second version of stat. */
const ENOENT = 2;

const word = (value: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value >>> 0);
  return buffer;
};
const long = (value: number): Buffer => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(Math.floor(value)));
  return buffer;
};
const tagged = (id: string, ...words: number[]): Buffer =>
  Buffer.concat([Buffer.from(id, 'latin1'), ...words.map(word)]);

/** Transfers of files as adbd serves them (file_sync_protocol.h), on the real file system. */
export class SyncService {
  private readonly cutter = new Cutter();
  private receiving: string | null = null;
  /** Why the file that is being received cannot be had. */
  private failure: string | null = null;
  /** Requests are answered one after the other. */
  private busy: Promise<void> = Promise.resolve();

  constructor(private readonly channel: Channel) {
    channel.on('data', (bytes, taken) => {
      this.cutter.push(bytes);
      this.busy = this.busy.then(() => this.drain()).then(taken);
    });
    // As adbd does: what did not arrive whole is removed.
    channel.on('close', () => this.receiving !== null && rmSync(this.receiving, { force: true }));
  }

  private async drain(): Promise<void> {
    for (;;) {
      const header = this.cutter.peek(8);
      if (header === null) return;
      const id = header.toString('latin1', 0, 4);
      const length = id === 'DONE' ? 0 : header.readUInt32LE(4);
      const whole = this.cutter.take(8 + length);
      if (whole === null) return;
      await this.answer(id, whole.subarray(8), header.readUInt32LE(4));
    }
  }

  private async answer(id: string, body: Buffer, argument: number): Promise<void> {
    const path = body.toString('utf8');
    if (id === 'STAT') await this.channel.write(stat1('STAT', path));
    else if (id === 'STA2' || id === 'LST2') await this.channel.write(stat2(id, path));
    else if (id === 'SEND') this.open(path.replace(/,\d+$/, ''));
    else if (id === 'DATA') this.receive(body);
    else if (id === 'DONE') await this.done(argument);
    else if (id === 'RECV') await this.give(path);
    else if (id === 'LIST')
      await this.list(path, (name) => stat1('DENT', join(path, name)), tagged('DONE', 0, 0, 0, 0));
    else if (id === 'LIS2') {
      const end = Buffer.concat([tagged('DONE'), Buffer.alloc(72)]);
      await this.list(path, (name) => stat2('DNT2', join(path, name)), end);
    } else if (id === 'QUIT') await this.channel.end();
    else await this.fail(`unknown request ${id}`);
  }

  private open(path: string): void {
    this.receiving = path;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '');
  }

  private receive(bytes: Buffer): void {
    if (this.receiving === null || this.failure !== null) return;
    try {
      appendFileSync(this.receiving, bytes);
    } catch (error) {
      // As adbd: what does not fit is removed, the rest of the file is passed over, the end of it is answered.
      this.failure =
        (error as NodeJS.ErrnoException).code === 'ENOSPC'
          ? 'write failed: No space left on device'
          : String(error);
      rmSync(this.receiving, { force: true });
    }
  }

  private async done(mtimeS: number): Promise<void> {
    const { receiving, failure } = this;
    this.receiving = null;
    this.failure = null;
    if (failure !== null) return this.fail(failure);
    if (receiving !== null) utimesSync(receiving, mtimeS, mtimeS);
    await this.channel.write(tagged('OKAY', 0));
  }

  private async give(path: string): Promise<void> {
    if (!existsSync(path)) return this.fail('No such file or directory');
    const file = openSync(path, 'r');
    try {
      for (;;) {
        const chunk = Buffer.alloc(CHUNK);
        const bytes = readSync(file, chunk);
        if (bytes === 0) break;
        await this.channel.write(Buffer.concat([tagged('DATA', bytes), chunk.subarray(0, bytes)]));
      }
    } finally {
      closeSync(file);
    }
    await this.channel.write(tagged('DONE', 0));
  }

  /** Entries of a directory: what `describe` says of each, its length and its name. */
  private async list(path: string, describe: (name: string) => Buffer, end: Buffer): Promise<void> {
    for (const name of existsSync(path) ? readdirSync(path) : []) {
      const bytes = Buffer.from(name);
      await this.channel.write(Buffer.concat([describe(name), word(bytes.length), bytes]));
    }
    await this.channel.write(end);
  }

  private async fail(reason: string): Promise<void> {
    await this.channel.write(Buffer.concat([tagged('FAIL', Buffer.byteLength(reason)), Buffer.from(reason)]));
  }
}

function stat1(id: string, path: string): Buffer {
  const found = existsSync(path) ? statSync(path) : null;
  return tagged(id, found?.mode ?? 0, found?.size ?? 0, Math.floor((found?.mtimeMs ?? 0) / 1000));
}

function stat2(id: string, path: string): Buffer {
  const found: Stats | null = existsSync(path) ? statSync(path) : null;
  if (found === null) return Buffer.concat([tagged(id, ENOENT), Buffer.alloc(64)]);
  return Buffer.concat([
    tagged(id, 0),
    long(found.dev),
    long(found.ino),
    ...[found.mode, found.nlink, found.uid, found.gid].map(word),
    ...[found.size, found.atimeMs / 1000, found.mtimeMs / 1000, found.ctimeMs / 1000].map(long),
  ]);
}
