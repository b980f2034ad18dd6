import { afterAll } from 'vitest';
import { keepEnvironment } from './environment.js';
import { removeTemporaryDirectories } from './temporary-directory.js';

/**
 * Set up for every file: modules and the environment outlive a file, so what one leaves behind would be there for the next (a cache
 * directory of one file once made others count as skipped).
 */
const restore = keepEnvironment();
afterAll(() => {
  restore();
  removeTemporaryDirectories();
});
