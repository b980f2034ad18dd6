// Scores the output of evaluate.py: node tools/train/score.mjs DECODED.jsonl > SCORES.json
// Needs `npm run build`.
import { readFileSync } from 'node:fs';
import { scoreDecoded } from '../../dist/src/score/score-decoded.js';

const path = process.argv[2];
if (path === undefined) throw new Error('usage: node tools/train/score.mjs DECODED.jsonl');
const lines = readFileSync(path, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
console.log(JSON.stringify(scoreDecoded(lines, 1), null, 1));
