import { spawnSync } from 'node:child_process';
import { EnvironmentError, UsageError } from '../../errors.js';
import type { ScorerKind } from './scorer.js';

/** A command that does not end is stopped after this time, in ms. */
const LIMIT_MS = 60_000;

export const command: ScorerKind = {
  says: 'a shell command that reads {"text", "answer"} as JSON and exits with 0 for right, 1 for wrong',
  takes: 'COMMAND',
  make(line) {
    if (line.trim() === '') throw new UsageError('scorer command: give a command behind the colon');
    return (text, answer) => {
      const { status, error, stderr } = spawnSync(line, {
        shell: true,
        input: JSON.stringify({ text, answer }),
        encoding: 'utf8',
        timeout: LIMIT_MS,
      });
      if (status === 0 || status === 1) return status === 0;
      const why = error?.message ?? (stderr.trim() || `exit ${status}`);
      throw new EnvironmentError(`scorer command: ${line}: ${why}`);
    };
  },
};
