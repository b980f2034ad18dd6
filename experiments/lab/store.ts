import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DataError, EnvironmentError, UsageError } from '../../src/errors.js';
import { atomicWriteFile } from '../../src/util/atomic-write.js';
import { plainJson } from '../../src/util/plain-json.js';
import { type IndexLine, indexLineSchema, type RunRecord, runHash, runRecordSchema } from './record.js';

/** A temporary file older than this was left by a process that was killed: a write takes milliseconds. */
const STALE_MS = 60_000;

export type Circumstances = Omit<IndexLine, 'hash' | 'kind' | 'outcome' | 'code' | 'config'>;
const UNKNOWN: Circumstances = { finishedAt: null, seconds: null, node: null, host: null, gitCommit: null };

/**
 * Results by content hash: `runs/ab/abcd....json`, one file per run, written once and whole, and
 * `runs/index.jsonl`. The files are the truth. The index only adds when and where a run was made; lines that a
 * killed process could not write are made again from the files.
 *
 * Any number of processes may write to one store.
 */
export class ResultStore {
  readonly directory: string;
  private readonly indexPath: string;

  /** @param results the directory that holds `runs/`; made when first written to */
  constructor(readonly results: string) {
    this.directory = join(results, 'runs');
    this.indexPath = join(this.directory, 'index.jsonl');
  }

  private path(hash: string): string {
    return join(this.directory, hash.slice(0, 2), `${hash}.json`);
  }

  has(hash: string): boolean {
    return existsSync(this.path(hash));
  }

  /** @throws DataError when the file is not the run that its name says; UsageError when there is none */
  read(hash: string): RunRecord {
    return parseRecord(this.bytes(hash), hash, this.path(hash));
  }

  /** The run's file as it is. */
  bytes(hash: string): string {
    if (!this.has(hash)) throw new UsageError(`no run ${hash} in ${this.directory}`);
    return readFileSync(this.path(hash), 'utf8');
  }

  /** Writes a run and its line of the index. The file first: a kill between the two loses nothing. */
  add(record: RunRecord, circumstances: Circumstances): void {
    atomicWriteFile(this.path(record.hash), formatRecord(record));
    this.append([lineOf(record, circumstances)]);
  }

  /** Hashes of all runs, sorted. */
  hashes(): string[] {
    if (!existsSync(this.directory)) return [];
    return readdirSync(this.directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap((entry) => readdirSync(join(this.directory, entry.name)))
      .filter((name) => /^[0-9a-f]{64}\.json$/.test(name))
      .map((name) => name.slice(0, 64))
      .sort();
  }

  /**
   * The run whose hash begins with `prefix`.
   * @throws UsageError when there is none, or more than one
   */
  find(prefix: string): RunRecord {
    const found = this.hashes().filter((hash) => hash.startsWith(prefix));
    if (found.length === 1) return this.read(found[0]);
    if (found.length === 0) throw new UsageError(`no run ${prefix} in ${this.directory}`);
    const some = found.slice(0, 3).map((hash) => hash.slice(0, 12));
    throw new UsageError(`${found.length} runs begin with ${prefix}: ${some.join(', ')} ...`);
  }

  /**
   * Brings the index in step with the files and returns it, one line per run, in the order of the file. Lines
   * without a run are dropped, missing ones added, what a kill cut off is removed.
   */
  index(): IndexLine[] {
    const hashes = new Set(this.hashes());
    const { lines, whole } = this.readIndex();
    const kept = lines.filter((line) => hashes.has(line.hash));
    for (const line of kept) hashes.delete(line.hash);
    const missing = [...hashes].map((hash) => lineOf(this.read(hash), UNKNOWN));
    if (!whole || kept.length < lines.length) {
      const all = [...kept, ...missing];
      atomicWriteFile(this.indexPath, all.map(formatLine).join(''));
      return all;
    }
    if (missing.length > 0) this.append(missing);
    return [...kept, ...missing];
  }

  /** Removes what processes that were killed in the middle of a write have left behind. */
  sweepOut(now = Date.now()): void {
    if (!existsSync(this.directory)) return;
    for (const name of readdirSync(this.directory, { encoding: 'utf8', recursive: true })) {
      if (!name.endsWith('.tmp')) continue;
      const path = join(this.directory, name);
      // Another process may rename its file into place meanwhile.
      const found = statSync(path, { throwIfNoEntry: false });
      if (found !== undefined && now - found.mtimeMs > STALE_MS) rmSync(path, { force: true });
    }
  }

  /** First line of each hash, and whether every byte of the file was a line of its own. */
  private readIndex(): { lines: IndexLine[]; whole: boolean } {
    if (!existsSync(this.indexPath)) return { lines: [], whole: true };
    const text = readFileSync(this.indexPath, 'utf8');
    const lines = new Map<string, IndexLine>();
    let whole = text === '' || text.endsWith('\n');
    for (const part of text.split('\n').filter((each) => each !== '')) {
      const line = parseLine(part);
      if (line === null || lines.has(line.hash)) whole = false;
      else lines.set(line.hash, line);
    }
    return { lines: [...lines.values()], whole };
  }

  /** One write in append mode: lines of several processes do not mix. */
  private append(lines: readonly IndexLine[]): void {
    try {
      mkdirSync(this.directory, { recursive: true });
      const file = openSync(this.indexPath, 'a');
      try {
        writeSync(file, lines.map(formatLine).join(''));
      } finally {
        closeSync(file);
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new EnvironmentError(`cannot write ${this.indexPath}: ${reason}`);
    }
  }
}

/** A run's bytes. */
export function formatRecord(record: RunRecord): string {
  return `${JSON.stringify(record, null, 1)}\n`;
}

function parseRecord(text: string, hash: string, path: string): RunRecord {
  let data: unknown;
  try {
    data = plainJson(text);
  } catch {
    throw new DataError(`${path}: not JSON; delete the file and run the sweep again`);
  }
  const parsed = runRecordSchema.safeParse(data);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new DataError(`${path}: not a run: ${issue.path.join('.') || 'file'}: ${issue.message}`);
  }
  if (parsed.data.hash !== hash || runHash(parsed.data) !== hash) {
    throw new DataError(`${path}: its content is not the run its name says; delete the file and run again`);
  }
  return parsed.data;
}

function lineOf({ hash, kind, outcome, code, config }: RunRecord, circumstances: Circumstances): IndexLine {
  return { hash, kind, outcome, code, config, ...circumstances };
}

function formatLine(line: IndexLine): string {
  return `${JSON.stringify(line)}\n`;
}

function parseLine(text: string): IndexLine | null {
  try {
    const parsed = indexLineSchema.safeParse(plainJson(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
