/**
 * Errors a user can act on. The CLI maps `exitCode` to the process exit code and prints `message` alone;
 * everything else that is thrown is a bug and shows its stack under `--debug`.
 */
export class DllmError extends Error {
  /** 1 failed check or damaged data, 2 wrong usage, 3 environment. */
  readonly exitCode: 1 | 2 | 3;

  constructor(message: string, exitCode: 1 | 2 | 3) {
    super(message);
    this.name = new.target.name;
    this.exitCode = exitCode;
  }
}

/** The call is wrong: unknown name, contradictory options, a value outside its range. */
export class UsageError extends DllmError {
  constructor(message: string) {
    super(message, 2);
  }
}

/** A file is damaged or not what it claims to be. The message names file, item and reason. */
export class DataError extends DllmError {
  constructor(message: string) {
    super(message, 1);
  }
}

/** A law or check did not hold. */
export class CheckError extends DllmError {
  constructor(message: string) {
    super(message, 1);
  }
}

/** Something outside the project is missing: a device, a native library, disk space. */
export class EnvironmentError extends DllmError {
  constructor(message: string) {
    super(message, 3);
  }
}
