#!/usr/bin/env node
import { SHOW_CURSOR } from './cursor.js';
import { ENVIRONMENT, INTERRUPTED, main } from './run.js';

const controller = new AbortController();
process.on('SIGINT', () => {
  // The first Ctrl-C lets the command stop between two steps; the second does not wait.
  if (controller.signal.aborted) {
    if (process.stdout.isTTY) process.stdout.write(SHOW_CURSOR);
    process.exit(INTERRUPTED);
  }
  controller.abort();
});
// Output that nobody takes is the environment's: a full disk is said, a reader that has seen enough (`| head`) is not.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') process.stderr.write(`error: cannot write standard output: ${error.message}\n`);
  process.exit(ENVIRONMENT);
});
process.stderr.on('error', () => process.exit(ENVIRONMENT));

process.exitCode = await main(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: controller.signal,
});
