#!/usr/bin/env node
import { INTERRUPTED, main } from './run.js';
import { SHOW_CURSOR } from './watch.js';

const controller = new AbortController();
process.on('SIGINT', () => {
  // The first Ctrl-C lets the command stop between two steps; the second does not wait.
  if (controller.signal.aborted) {
    if (process.stdout.isTTY) process.stdout.write(SHOW_CURSOR);
    process.exit(INTERRUPTED);
  }
  controller.abort();
});
// A reader that has seen enough (`| head`) closes the pipe: that is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await main(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: controller.signal,
});
