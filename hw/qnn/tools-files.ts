import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataError, UsageError } from '../../src/errors.js';
import { decodeRaw, type RawTensor } from './raw-tensor.js';

/** Name that QNN gives a tensor of another world: only letters, digits and underscores. */
export function qnnName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_]/g, '_');
}

/** The tensor that stands for a name, its own spelling or QNN's. @throws DataError naming those that are there */
export function tensorFor(tensors: readonly RawTensor[], name: string, label: string): RawTensor {
  const found =
    tensors.find((tensor) => tensor.name === name) ??
    tensors.find((tensor) => qnnName(tensor.name).replace(/^_/, '') === qnnName(name).replace(/^_/, ''));
  if (found !== undefined) return found;
  const there = tensors.map((tensor) => tensor.name).join(', ');
  throw new DataError(`${label} has no tensor ${name}; it has ${there || 'none'}`);
}

/** One line per execution, `name:=path` per input. @throws UsageError for a path the format cannot hold */
export function inputList(executions: readonly ReadonlyMap<string, string>[]): string {
  return executions
    .map((files) =>
      [...files]
        .map(([name, path]) => {
          // The tool splits at spaces and at the sign, and knows no quoting.
          if (/[\s,]|:=/.test(path))
            throw new UsageError(`${path} cannot stand in an input list of qnn-net-run`);
          return `${name}:=${path}`;
        })
        .join(' '),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/**
 * An output of one execution, from the folder that `--output_dir` named.
 * @param execution counted from 0
 * @throws DataError when the file is missing, naming those that are there, or has another size
 */
export function readOutput(directory: string, execution: number, tensor: RawTensor): Float32Array {
  const folder = join(directory, `Result_${execution}`);
  if (!existsSync(folder)) {
    throw new DataError(`qnn-net-run wrote no Result_${execution}: it stopped before that execution`);
  }
  // With --use_native_output_files the names of quantised tensors end in `_native`; older versions name none so.
  const names = [tensor.name, qnnName(tensor.name)].flatMap((name) => [`${name}_native.raw`, `${name}.raw`]);
  const file = names.find((name) => existsSync(join(folder, name)));
  if (file === undefined) {
    throw new DataError(
      `Result_${execution} has no ${tensor.name}; it has ${readdirSync(folder).join(', ') || 'nothing'}`,
    );
  }
  return decodeRaw(readFileSync(join(folder, file)), tensor);
}
