// Puts the reference ladder into docs/results.md between its markers. A test fails when they disagree.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ladderMarkdown } from '../dist/experiments/studies/ladder/markdown.js';
import { readSummary } from '../dist/experiments/studies/ladder/summary-file.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const path = join(root, 'docs/results.md');
const summary = readSummary(join(root, 'results/reference/ablation/summary.json'));
const page = readFileSync(path, 'utf8');
const [begin, end] = ['<!-- ladder:begin -->', '<!-- ladder:end -->'];
const head = page.slice(0, page.indexOf(begin) + begin.length);
const tail = page.slice(page.indexOf(end));
writeFileSync(path, `${head}\n${ladderMarkdown(summary)}\n${tail}`);
