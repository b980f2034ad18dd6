/**
 * The ladder of techniques as a report: read its results, write the page with its figures.
 *
 * @packageDocumentation
 */
export { renderReport } from './experiments/report/page.js';
export { writeReport } from './experiments/report/write-report.js';
export { ladderMarkdown } from './experiments/studies/ladder/markdown.js';
export { readSummary } from './experiments/studies/ladder/summary-file.js';
export type { AblationSummary } from './experiments/studies/ladder/types.js';
