import { DataError } from '../../../src/errors.js';
import { atomicWriteFile } from '../../../src/util/atomic-write.js';
import { readJson } from '../../../src/util/read-file.js';
import { ABLATION_SCHEMA, type AblationSummary, ablationSchema } from './types.js';

/**
 * Reads and validates a `summary.json`.
 * @throws EnvironmentError when it cannot be read; DataError naming file, item and reason.
 */
export function readSummary(path: string): AblationSummary {
  return parseSummary(readJson(path), path);
}

/** @throws DataError when `raw` is not a summary; `name` says where it came from. */
export function parseSummary(raw: unknown, name: string): AblationSummary {
  const parsed = ablationSchema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const item = issue === undefined || issue.path.length === 0 ? 'file' : issue.path.join('.');
  throw new DataError(`${name}: not a ${ABLATION_SCHEMA} summary: ${item}: ${issue?.message ?? 'invalid'}`);
}

/** Canonical bytes of a summary: validated, in the schema's key order, indented, innermost lists on one line. */
export function formatSummary(summary: AblationSummary): string {
  return `${compactLeaves(JSON.stringify(parseSummary(summary, 'summary'), null, 1))}\n`;
}

/**
 * Joins lists and objects that hold only plain values. Safe on text: a JSON string holds no raw line break, and
 * the pattern needs one after the opening bracket.
 */
function compactLeaves(json: string): string {
  const join = (block: string) => block.replace(/\n\s*/g, ' ').replace(/^(.) | (.)$/g, '$1$2');
  return json.replace(/\[\n[^[\]{}]*\]|\{\n[^[\]{}]*\}/g, join);
}

/** Writes atomically. @throws DataError when the summary breaks its own schema. */
export function writeSummary(path: string, summary: AblationSummary): void {
  atomicWriteFile(path, formatSummary(summary));
}
