// Writes training and held-out problems as token ids: node tools/train/export-data.mjs DIRECTORY
// Needs `npm run build`. The counts are more than the recipe consumes, so no problem is seen twice.
import { exportTrainingData } from '../../dist/src/train/export-data.js';

const directory = process.argv[2];
if (directory === undefined) throw new Error('usage: node tools/train/export-data.mjs DIRECTORY');
exportTrainingData({ directory, seed: 20, set: 'long', split: 'train', count: 500_000 });
exportTrainingData({ directory, seed: 20, set: 'short', split: 'train', count: 170_000 });
for (const set of ['long', 'short']) {
  exportTrainingData({ directory, seed: 1, set, split: 'heldout', count: 2000 });
}
