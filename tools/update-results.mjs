// Puts the reference results into the pages between their markers. A test fails when they disagree.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PAGE_PARTS, withPart } from '../dist/experiments/report/page-parts.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
for (const part of PAGE_PARTS) {
  const path = join(root, part.page);
  writeFileSync(path, withPart(readFileSync(path, 'utf8'), part, root));
}
