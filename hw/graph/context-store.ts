import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** A graph that a backend compiled before. */
export interface CompiledContext {
  /** Model to open. */
  readonly path: string;
  readonly files: readonly string[];
}

/** Where compiled graphs are kept. */
export interface ContextOptions {
  /** Directory of contexts of one set of weights, backend and plugin: the caller makes sure of that. */
  readonly directory: string;
  /** Inside the `.onnx` file instead of in a `.bin` file beside it. */
  readonly embed: boolean;
}

/**
 * Compiled graphs of a backend ("context binaries"), one small ONNX model each that names or holds the binary. A session
 * on such a model compiles nothing.
 */
export class ContextStore {
  constructor(private readonly options: ContextOptions) {}

  /** The context of a graph that was compiled before; null when there is none. */
  find(graph: string): CompiledContext | null {
    const path = join(this.options.directory, `${graph}_ctx.onnx`);
    return existsSync(path) ? { path: resolve(path), files: this.files(graph) } : null;
  }

  /** The model of a context, and the binary beside it. */
  private files(graph: string): string[] {
    const { directory } = this.options;
    const names = readdirSync(directory).filter((name) => name.startsWith(`${graph}_ctx`));
    return names.sort().map((name) => join(directory, name));
  }

  /** A place for a new context, and the session settings that make the runtime write it there. */
  prepare(graph: string): PendingContext {
    mkdirSync(this.options.directory, { recursive: true });
    const staging = mkdtempSync(join(this.options.directory, '.making-'));
    const path = join(staging, `${graph}_ctx.onnx`);
    return {
      config: {
        'ep.context_enable': '1',
        'ep.context_embed_mode': this.options.embed ? '1' : '0',
        'ep.context_file_path': resolve(path),
      },
      keep: () => {
        // The model last: with it in place its binary is too.
        const files = readdirSync(staging).sort(
          (a, b) => Number(a.endsWith('.onnx')) - Number(b.endsWith('.onnx')),
        );
        for (const file of files) renameSync(join(staging, file), join(this.options.directory, file));
        rmSync(staging, { recursive: true });
        return this.files(graph);
      },
      discard: () => rmSync(staging, { recursive: true, force: true }),
    };
  }
}

export interface PendingContext {
  readonly config: Readonly<Record<string, string>>;
  /** Moves what was written to its place; nothing when the backend has no such thing. */
  keep(): readonly string[];
  discard(): void;
}
